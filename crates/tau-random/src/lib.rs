//! Counter-based random streams: the same number for the same name, in any order, on any machine.
//!
//! A [`Key`] names a stream by *what it is for*: the root seed, a [`Purpose`], a stage (for
//! instance an epoch) and a step (for instance an update). The generator is Philox-4x32-10
//! (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a block of four words
//! is a pure function of the key and a block index, so a thread (or a GPU block) can produce any
//! part of a stream without having produced the rest. The numbers are pinned by tests and will
//! not change within a major version.
//!
//! ```
//! use tau_random::{Key, Purpose};
//! let key = Key::new(7, Purpose::Inputs).stage(3).step(41);
//! let mut stream = key.stream();
//! let first = stream.unit_f32();
//! assert_eq!(first, key.stream().unit_f32());
//! assert!((0.0..1.0).contains(&first));
//! ```
//!
//! [`Draws`] says where the numbers of a batch of trials stand in a stream, [`Bits`] and
//! [`DrawnBits`] how random bits are made of them: a task that draws on the host and a device that
//! draws for itself follow this one law.
//!
//! What it does not know: arrays, tasks, distributions but the uniform and the normal one (a
//! [`Stream`] is a [`rand_core::RngCore`], so `rand_distr` and `ndarray-rand` serve the rest),
//! entropy (a seed is always an argument), cryptography.

mod bits;
mod draws;
mod error;
mod normal;

use rand_core::RngCore;

pub use bits::{BitRule, Bits, Chance, Coding, DrawnBits};
pub use draws::Draws;
pub use error::Error;
pub use normal::standard_normals;

/// What a stream is for. The numbers are part of the file format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights, biases and time constants.
    Parameters = 1,
    /// Initial weights of a readout head; its position is the stage.
    Readout = 2,
    /// Task input while training.
    Inputs = 3,
    /// Hidden state before the first step while training.
    InitialState = 4,
    /// Task input of the test batches.
    TestInputs = 5,
    /// Hidden state before the first step of the test batches.
    TestInitialState = 6,
    /// Task input of a long simulation that is measured.
    DriveInputs = 7,
    /// Hidden state before the first step of a long simulation.
    DriveInitialState = 8,
    /// Draws of a statistical procedure (bootstrap, simulated processes).
    Statistics = 9,
    /// Task input while new heads are trained on a frozen network.
    ProbeInputs = 10,
    /// Hidden state before the first step while new heads are trained on a frozen network.
    ProbeInitialState = 11,
    /// Task input on which a damaged network is scored.
    ScoringInputs = 12,
    /// Hidden state before the first step while a damaged network is scored.
    ScoringInitialState = 13,
    /// Noise that is added to parameters.
    Perturbation = 14,
    /// Task input while a trained network is trained further.
    RetrainingInputs = 15,
    /// Hidden state before the first step while a trained network is trained further.
    RetrainingInitialState = 16,
    /// Task input of a data set that is drawn once and used again in every epoch.
    Data = 17,
    /// The order in which the trials of such a data set are shown; the epoch is the stage.
    Shuffle = 18,
}

/// The name of a random stream: (seed, purpose, stage, step).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    seed: u64,
    purpose: Purpose,
    stage: u32,
    step: u32,
}

impl Key {
    /// The stream for `purpose` under the root `seed`, at stage 0 and step 0.
    #[must_use]
    pub const fn new(seed: u64, purpose: Purpose) -> Self {
        Self { seed, purpose, stage: 0, step: 0 }
    }

    /// This stream at a different stage (an epoch, a head).
    #[must_use]
    pub const fn stage(self, stage: u32) -> Self {
        Self { stage, ..self }
    }

    /// This stream at a different step (an update, a test batch).
    #[must_use]
    pub const fn step(self, step: u32) -> Self {
        Self { step, ..self }
    }

    /// The name in 32-bit words: seed (low, high), step, stage, purpose. For kernels that draw
    /// where they compute.
    #[must_use]
    pub const fn words(self) -> [u32; 5] {
        [self.seed as u32, (self.seed >> 32) as u32, self.step, self.stage, self.purpose as u32]
    }

    /// Words `4 * index .. 4 * index + 4` of the stream.
    #[must_use]
    #[inline]
    pub const fn block(self, index: u32) -> [u32; 4] {
        let seed = [self.seed as u32, (self.seed >> 32) as u32];
        philox([index, self.step, self.stage, self.purpose as u32], seed)
    }

    /// The `index`-th number in [0, 1) of the stream: multiples of 2⁻²⁴, exact in `f32`.
    ///
    /// Equal to the `index`-th call of [`Stream::unit_f32`], without making the ones before.
    #[must_use]
    #[inline]
    pub const fn unit_f32(self, index: u64) -> f32 {
        unit(self.block((index / 4) as u32)[(index % 4) as usize])
    }

    /// Fills `out` with numbers `start..start + out.len()` in [0, 1) of the stream.
    pub fn fill_unit_f32(self, start: u64, out: &mut [f32]) {
        let mut index = start;
        let mut rest = out;
        while !rest.is_empty() {
            let words = self.block((index / 4) as u32);
            let skip = (index % 4) as usize;
            let count = rest.len().min(4 - skip);
            let (now, later) = rest.split_at_mut(count);
            for (slot, word) in now.iter_mut().zip(&words[skip..]) {
                *slot = unit(*word);
            }
            index += count as u64;
            rest = later;
        }
    }

    /// A sequential reader of the stream, from its first word.
    #[must_use]
    pub const fn stream(self) -> Stream {
        Stream { key: self, next: 0, words: [0; 4] }
    }
}

/// Upper 24 bits as a multiple of 2⁻²⁴: every value is exact, 1.0 cannot occur.
#[inline]
const fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// A stream read from its beginning; usable wherever `rand` wants an `Rng`.
#[derive(Clone, Debug)]
pub struct Stream {
    key: Key,
    next: u64,
    words: [u32; 4],
}

impl Stream {
    /// The next number in [0, 1), a multiple of 2⁻²⁴.
    #[inline]
    pub fn unit_f32(&mut self) -> f32 {
        unit(self.next_u32())
    }
}

impl RngCore for Stream {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        let lane = (self.next % 4) as usize;
        if lane == 0 {
            self.words = self.key.block((self.next / 4) as u32);
        }
        self.next += 1;
        self.words[lane]
    }

    fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        low | u64::from(self.next_u32()) << 32
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(4) {
            let word = self.next_u32().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// Ten rounds of Philox-4x32 (Salmon et al. 2011, §3.3).
#[inline]
const fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut round = 0;
    while round < 10 {
        let low = counter[0] as u64 * 0xD251_1F53;
        let high = counter[2] as u64 * 0xCD9E_8D57;
        counter = [
            (high >> 32) as u32 ^ counter[1] ^ key[0],
            high as u32,
            (low >> 32) as u32 ^ counter[3] ^ key[1],
            low as u32,
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        round += 1;
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the Random123 library.
    #[test]
    fn philox_gives_the_published_words() {
        check([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        check([!0; 4], [!0; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        check(
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        );
        fn check(counter: [u32; 4], key: [u32; 2], expected: [u32; 4]) {
            assert_eq!(philox(counter, key), expected);
        }
    }

    /// A change here changes every result ever computed with a seed.
    #[test]
    fn draws_are_pinned() {
        let mut stream = Key::new(42, Purpose::Inputs).stage(1).step(2).stream();
        let drawn: Vec<u32> = (0..5).map(|_| stream.next_u32()).collect();
        assert_eq!(drawn, PINNED);
    }
    const PINNED: [u32; 5] = [4055617683, 1848058612, 3239523250, 1785067168, 448434703];

    #[test]
    fn any_part_of_a_stream_is_the_same_however_it_is_reached() {
        let key = Key::new(3, Purpose::InitialState).step(9);
        let mut stream = key.stream();
        let one_by_one: Vec<f32> = (0..23).map(|_| stream.unit_f32()).collect();
        for start in 0..9 {
            let mut part = [0.0; 11];
            key.fill_unit_f32(start, &mut part);
            assert_eq!(part, one_by_one[start as usize..][..11]);
            assert_eq!(key.unit_f32(start), one_by_one[start as usize]);
        }
    }

    #[test]
    fn every_part_of_the_name_changes_the_numbers() {
        let key = Key::new(1, Purpose::Inputs);
        let others = [
            Key::new(2, Purpose::Inputs),
            Key::new(1 << 32, Purpose::Inputs),
            Key::new(1, Purpose::TestInputs),
            key.stage(1),
            key.step(1),
        ];
        for other in others {
            assert_ne!(key.block(0), other.block(0), "{other:?}");
        }
    }

    #[test]
    fn uniform_numbers_have_the_moments_of_the_uniform_law() {
        let mut numbers = vec![0.0; 100_000];
        Key::new(0, Purpose::Statistics).fill_unit_f32(0, &mut numbers);
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / 1e5;
        let square = numbers.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 5.0 * (1.0f64 / 12.0 / 1e5).sqrt(), "mean: {mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.005, "mean square: {square}");
    }
}
