//! The structures that kernels take. Layout and names are those of the structures in `kernels/`.

use super::device::{Arguments, THREADS};

pub(super) use super::parts::{
    Bits, Heads, KeyWords, Ptr, Rule, Score, Segment, Shape, Splits, State, activation, bit_rule,
    gated,
};

/// Number of threads in a block of the kernels in `kernels/small.cu`.
pub(super) const SMALL_THREADS: usize = 512;

/// Declares the structures; `R` stands for the type `real` of the kernels.
macro_rules! arguments {
    ($($(#[$when:meta])? $name:ident $(<$r:ident>)? for $kernel:literal, $threads:ident threads {
        $($field:ident: $type:ty),* $(,)?
    })*) => {
        $(
            $(#[$when])?
            #[derive(Clone, Copy, Debug, PartialEq)]
            #[repr(C)]
            pub(super) struct $name $(<$r>)? {
                $(pub(super) $field: $type,)*
            }

            $(#[$when])?
            impl $(<$r: crate::Real>)? Arguments for $name $(<$r>)? {
                const KERNEL: &'static str = $kernel;
                const THREADS: usize = $threads;
            }
        )*
    };
}

arguments! {
    PackCell<R> for "pack_cell", THREADS threads {
        shape: Shape,
        params: Ptr<R>,
        forward: Ptr<R>,
        backward: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        whole: i32,
        k: i32,
    }
    PackGates<R> for "pack_gates", THREADS threads {
        shape: Shape,
        params: Ptr<R>,
        forward: Ptr<R>,
        backward: Ptr<R>,
        gate_stride: i32,
        cell: i32,
    }
    PackReadouts<R> for "pack_readouts", THREADS threads {
        shape: Shape,
        params: Ptr<R>,
        weights: Ptr<u64>,
        biases: Ptr<u64>,
        outputs: i32,
        output_stride: i32,
        forward: Ptr<R>,
        backward: Ptr<R>,
    }
    ShowGiven<R> for "show_given", THREADS threads {
        shape: Shape,
        inputs: Ptr<f32>,
        h: Ptr<R>,
    }
    Start<R> for "start", THREADS threads {
        shape: Shape,
        given: Ptr<R>,
        given_stride: i32,
        scale: R,
        key: KeyWords,
        h: Ptr<R>,
    }
    Forward<R> for "forward", THREADS threads {
        shape: Shape,
        before: Ptr<R>,
        after: Ptr<R>,
        f: Ptr<R>,
        matrix: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
    }
    Outputs<R> for "outputs", THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        matrix: Ptr<R>,
        output_stride: i32,
        y: Ptr<R>,
    }
    ScoreClasses<R> for "score_classes", THREADS threads {
        score: Score<R>,
    }
    ScoreValues<R> for "score_values", THREADS threads {
        score: Score<R>,
    }
    Backward<R> for "backward", THREADS threads {
        shape: Shape,
        later: Ptr<R>,
        matrix: Ptr<R>,
        heads: Heads<R>,
        value: Ptr<R>,
        error: Ptr<R>,
        before: Ptr<R>,
        carry: Ptr<R>,
        tau_sums: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
        underflow: R,
    }
    ForwardGates<R> for "forward_gates", THREADS threads {
        shape: Shape,
        before: Ptr<R>,
        after: Ptr<R>,
        memory: Ptr<R>,
        memory_after: Ptr<R>,
        gates: Ptr<R>,
        matrix: Ptr<R>,
        gate_stride: i32,
        cell: i32,
    }
    BackwardGates<R> for "backward_gates", THREADS threads {
        shape: Shape,
        later: Ptr<R>,
        matrix: Ptr<R>,
        heads: Heads<R>,
        gates: Ptr<R>,
        before: Ptr<R>,
        memory: Ptr<R>,
        memory_after: Ptr<R>,
        carry: Ptr<R>,
        gate_stride: i32,
        cell: i32,
        underflow: R,
    }
    Outer<R> for "outer", THREADS threads {
        left: Ptr<R>,
        right: Ptr<R>,
        out: Ptr<R>,
        a_stride: i32,
        b_stride: i32,
        rows: i32,
        rows_per_split: i32,
    }
    #[cfg(feature = "bench")]
    Peak<R> for "peak", THREADS threads {
        out: Ptr<R>,
        rounds: i32,
        unused: i32,
    }
    ShowDrawn<R> for "show_drawn", THREADS threads {
        shape: Shape,
        bits: Bits,
        values: [f32; 2],
        first: i32,
        h: Ptr<R>,
    }
    LabelDrawn for "label_drawn", THREADS threads {
        shape: Shape,
        bits: Bits,
        memory: Ptr<i32>,
        heads: i32,
        rule: i32,
        labels: Ptr<u8>,
    }
    Collect<R> for "collect", THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        to: Ptr<R>,
    }
    ForwardSmall<R> for "forward_small", SMALL_THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        f: Ptr<R>,
        matrix: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
    }
    BackwardSmall<R> for "backward_small", SMALL_THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        f: Ptr<R>,
        errors: Ptr<R>,
        matrix: Ptr<R>,
        carry: Ptr<R>,
        tau_sums: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
        underflow: R,
    }
    CellGradient<R> for "cell_gradient", THREADS threads {
        shape: Shape,
        matrix: Splits<R>,
        params: Ptr<R>,
        gradient: Ptr<R>,
        alpha: Ptr<R>,
        tau_sums: Ptr<R>,
        k: i32,
        trains_tau: i32,
    }
    GateGradient<R> for "gate_gradient", THREADS threads {
        shape: Shape,
        matrix: Splits<R>,
        gradient: Ptr<R>,
        cell: i32,
        unused: i32,
    }
    ReadoutGradient<R> for "readout_gradient", THREADS threads {
        shape: Shape,
        matrix: Splits<R>,
        weights: Ptr<u64>,
        biases: Ptr<u64>,
        gradient: Ptr<R>,
    }
    Squares<R> for "squares", THREADS threads {
        gradient: Ptr<R>,
        count: u64,
        segments: Ptr<Segment>,
        n_segments: i32,
        sums: Ptr<f64>,
    }
    Judge for "judge", THREADS threads {
        rule: Rule,
        squares: Ptr<f64>,
        n_squares: i32,
        n_losses: i32,
        losses: Ptr<f64>,
        loss_scale: f64,
        segments: Ptr<Segment>,
        state: Ptr<State>,
        n_segments: i32,
        unused: i32,
    }
    Step<R> for "step", THREADS threads {
        rule: Rule,
        params: Ptr<R>,
        gradient: Ptr<R>,
        mean: Ptr<R>,
        square: Ptr<R>,
        segments: Ptr<Segment>,
        state: Ptr<State>,
        count: u64,
        n_segments: i32,
        hidden: i32,
        self_connections: i32,
        unused: i32,
    }
}
