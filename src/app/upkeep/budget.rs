//! What one run may still do. A run that has used it up leaves the rest to the next one, so no
//! amount of work makes an invocation break a limit of the platform.

/// Something that a run may do so often.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    /// So often.
    pub fn new(count: usize) -> Self {
        Self(count)
    }

    /// Takes as much of it, if there is as much.
    pub fn take(&mut self, count: usize) -> bool {
        let is_enough = self.0 >= count;
        if is_enough {
            self.0 -= count;
        }
        is_enough
    }

    /// How much is left.
    pub fn left(&self) -> usize {
        self.0
    }
}
