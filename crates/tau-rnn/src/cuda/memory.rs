//! Typed arrays on a device.

use bytemuck::Pod;

use crate::Error;

use super::arguments::Ptr;
use super::device::Device;

/// Numbers on a device; zeros at first. Grows when asked for more.
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
    /// Room for `len` numbers. Zeros where nothing was written before; what was there is lost if
    /// the room must grow.
    pub(super) fn room(&mut self, device: &D, len: usize) -> Result<Ptr<T>, Error> {
        if self.capacity < len {
            // The old memory first: both together may be too much.
            self.memory = None;
            self.capacity = 0;
            self.memory = Some(device.allocate(len * size_of::<T>())?);
            self.capacity = len;
        }
        self.len = len;
        Ok(self.ptr(device))
    }

    /// [`Array::room`], all zeros.
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

    /// Numbers that there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes it these numbers.
    pub(super) fn put(&mut self, device: &D, numbers: &[T]) -> Result<Ptr<T>, Error> {
        let ptr = self.room(device, numbers.len())?;
        if let Some(memory) = &mut self.memory
            && !numbers.is_empty()
        {
            device.write(memory, 0, bytemuck::cast_slice(numbers))?;
        }
        Ok(ptr)
    }

    /// The numbers from `start` on.
    pub(super) fn get(&self, device: &D, start: usize, to: &mut [T]) -> Result<(), Error> {
        match &self.memory {
            Some(memory) if !to.is_empty() => {
                device.read(memory, start * size_of::<T>(), bytemuck::cast_slice_mut(to))
            }
            _ => Ok(()),
        }
    }

    /// All of them.
    pub(super) fn to_vec(&self, device: &D) -> Result<Vec<T>, Error> {
        let mut numbers = vec![T::zeroed(); self.len];
        self.get(device, 0, &mut numbers)?;
        Ok(numbers)
    }
}
