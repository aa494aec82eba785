//! Where a cursor has been: back and forward through its jumps.

/// So many jumps can be gone back through.
const JUMPS_MAX: usize = 500;

/// The places that jumps left.
#[derive(Debug)]
pub struct Trail<T> {
    back: Vec<T>,
    forward: Vec<T>,
}

impl<T> Default for Trail<T> {
    fn default() -> Trail<T> {
        Trail { back: Vec::new(), forward: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Trail<T> {
    /// A jump leaves `from`.
    pub fn leave(&mut self, from: T) {
        if self.back.last() != Some(&from) {
            self.back.push(from);
        }
        if self.back.len() > JUMPS_MAX {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// Where the last jump came from; `here` can be gone forward to again.
    pub fn back(&mut self, here: Option<T>) -> Option<T> {
        step(&mut self.back, &mut self.forward, here)
    }

    /// Where the last way back began.
    pub fn forward(&mut self, here: Option<T>) -> Option<T> {
        step(&mut self.forward, &mut self.back, here)
    }
}

fn step<T: Copy + PartialEq>(from: &mut Vec<T>, to: &mut Vec<T>, here: Option<T>) -> Option<T> {
    let target = from.pop()?;
    to.extend(here.filter(|here| *here != target));
    Some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_back_and_forward() {
        let mut trail = Trail::default();
        trail.leave(1);
        trail.leave(2);
        assert_eq!(trail.back(Some(3)), Some(2));
        assert_eq!(trail.back(Some(2)), Some(1));
        assert_eq!(trail.back(Some(1)), None);
        assert_eq!(trail.forward(Some(1)), Some(2));
        trail.leave(2);
        assert_eq!(trail.forward(Some(9)), None, "a new jump ends the way forward");
    }
}
