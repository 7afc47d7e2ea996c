//! Memory that is used again from batch to batch and begins at a cache line.

use std::ops::{Deref, DerefMut};

use crate::Real;

/// Bytes of a cache line, and of the widest vector register.
const LINE: usize = 64;

/// Numbers from the beginning of a cache line on: no vector of them lies across two lines.
#[derive(Debug, Default)]
pub(super) struct Buffer<R> {
    data: Vec<R>,
    len: usize,
}

impl<R: Real> Buffer<R> {
    /// Room for `len` numbers that will all be written before they are read: what they are now is
    /// anything.
    pub(super) fn room(&mut self, len: usize) -> &mut [R] {
        let slack = LINE / size_of::<R>();
        if self.data.len() < len + slack {
            // What was there needs not be copied.
            self.data = vec![R::ZERO; len + slack];
        }
        self.len = len;
        self
    }

    /// Room for `len` zeros.
    pub(super) fn zeros(&mut self, len: usize) -> &mut [R] {
        self.room(len).fill(R::ZERO);
        self
    }

    /// Numbers that it has room for.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.data.len()
    }

    fn start(&self) -> usize {
        // An interpreter of the language may not know the address: any start is right then.
        self.data.as_ptr().align_offset(LINE).min(self.data.len() - self.len)
    }
}

impl<R: Real> Deref for Buffer<R> {
    type Target = [R];

    #[inline]
    fn deref(&self) -> &[R] {
        &self.data[self.start()..][..self.len]
    }
}

impl<R: Real> DerefMut for Buffer<R> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [R] {
        let start = self.start();
        &mut self.data[start..][..self.len]
    }
}
