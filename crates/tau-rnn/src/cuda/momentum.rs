//! The optimiser's memory on the device: one array for each part of it, flat like the parameters, and a
//! table of segments that says where each array of the parameters lies.

use crate::{Error, Momentum, Real, Slot};

use super::Cuda;
use super::arguments::Segment;
use super::device::Device;

impl<R: Real, D: Device> Cuda<R, D> {
    /// The optimiser's memory, which may have fewer arrays than the network by now.
    pub(super) fn read_momentum(&self) -> Result<Momentum<R>, Error> {
        let Some(adam) = self.adam else { return Ok(Momentum::default()) };
        let mean = self.mean.to_vec(&self.device)?;
        let square = if adam { self.square.to_vec(&self.device)? } else { Vec::new() };
        let segments = self.segments.to_vec(&self.device)?;
        let mut begin = 0;
        let slot = |segment: &Segment| {
            let range = begin..segment.end as usize;
            begin = range.end;
            Slot {
                mean: mean[range.clone()].to_vec(),
                square: square.get(range).unwrap_or_default().to_vec(),
                steps: segment.steps as u64,
            }
        };
        Ok(Momentum { slots: segments.iter().map(slot).collect() })
    }

    /// Puts an optimiser's memory on the device. Arrays that the memory lacks begin anew.
    pub(super) fn put_momentum(&mut self, momentum: &Momentum<R>) -> Result<(), Error> {
        let total = self.params.len();
        let adam = momentum.slots.iter().any(|slot| !slot.square.is_empty());
        self.adam = if momentum.slots.is_empty() { None } else { Some(adam) };
        // A slot may lack a part that other slots have: that part begins with zeros.
        let flat = |part: fn(&Slot<R>) -> &[R]| {
            let mut flat = Vec::with_capacity(total);
            for slot in &momentum.slots {
                let end = flat.len() + slot.mean.len();
                flat.extend_from_slice(part(slot));
                flat.resize(end, R::ZERO);
            }
            flat.resize(total, R::ZERO);
            flat
        };
        self.mean.put(&self.device, &flat(|slot| &slot.mean))?;
        if adam {
            self.square.put(&self.device, &flat(|slot| &slot.square))?;
        }
        let steps: Vec<i32> = momentum.slots.iter().map(|slot| slot.steps as i32).collect();
        self.put_segments(&steps)
    }

    /// Puts the table of segments on the device, with the number of updates that each array took part
    /// in. No array is trained yet.
    pub(super) fn put_segments(&mut self, steps: &[i32]) -> Result<(), Error> {
        let mut end = 0;
        let segment = |(k, (_, values)): (usize, (_, &[R]))| {
            end += values.len() as u64;
            Segment { end, steps: steps.get(k).copied().unwrap_or(0), ..Segment::default() }
        };
        let segments: Vec<Segment> = self.host.tensors().enumerate().map(segment).collect();
        self.segments.put(&self.device, &segments)?;
        self.active = Some(vec![false; segments.len()]);
        Ok(())
    }
}
