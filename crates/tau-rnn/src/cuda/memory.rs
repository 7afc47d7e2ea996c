//! Typed arrays on a device.

use bytemuck::Pod;

use crate::Error;

use super::arguments::Ptr;
use super::device::Device;

/// Numbers on a device, zeros at first. The array grows when more numbers are asked for.
#[derive(Debug)]
pub(super) struct Array<T, D: Device> {
    memory: Option<D::Memory>,
    capacity: usize,
    len: usize,
    kind: std::marker::PhantomData<fn() -> T>,
}

impl<T, D: Device> Default for Array<T, D> {
    fn default() -> Self {
        Self { memory: None, capacity: 0, len: 0, kind: std::marker::PhantomData }
    }
}

impl<T: Pod, D: Device> Array<T, D> {
    /// Makes room for `len` numbers, which are zeros where nothing was written before. If the room must
    /// grow, the numbers in it are lost.
    pub(super) fn room(&mut self, device: &D, len: usize) -> Result<Ptr<T>, Error> {
        if self.capacity < len {
            // The old memory goes first: both together may be too much.
            self.memory = None;
            self.capacity = 0;
            self.memory = Some(device.allocate(len * size_of::<T>())?);
            self.capacity = len;
        }
        self.len = len;
        Ok(self.ptr(device))
    }

    /// Makes room for `len` numbers and sets them to zero.
    pub(super) fn zeros(&mut self, device: &D, len: usize) -> Result<Ptr<T>, Error> {
        let ptr = self.room(device, len)?;
        if let Some(memory) = &mut self.memory {
            device.clear(memory)?;
        }
        Ok(ptr)
    }

    pub(super) fn ptr(&self, device: &D) -> Ptr<T> {
        self.memory.as_ref().map_or(Ptr::NULL, |memory| Ptr::new(device.address(memory)))
    }

    /// Number of elements that there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes the array hold these numbers.
    pub(super) fn put(&mut self, device: &D, numbers: &[T]) -> Result<Ptr<T>, Error> {
        let ptr = self.room(device, numbers.len())?;
        if let Some(memory) = &mut self.memory
            && !numbers.is_empty()
        {
            device.write(memory, 0, bytemuck::cast_slice(numbers))?;
        }
        Ok(ptr)
    }

    /// Copies the numbers from `start` on to the host.
    pub(super) fn get(&self, device: &D, start: usize, to: &mut [T]) -> Result<(), Error> {
        match &self.memory {
            Some(memory) if !to.is_empty() => {
                device.read(memory, start * size_of::<T>(), bytemuck::cast_slice_mut(to))
            }
            _ => Ok(()),
        }
    }

    /// Copies all numbers to the host.
    pub(super) fn to_vec(&self, device: &D) -> Result<Vec<T>, Error> {
        let mut numbers = vec![T::zeroed(); self.len];
        self.get(device, 0, &mut numbers)?;
        Ok(numbers)
    }
}
