//! Where a component's memory comes from: first from what it begins with, then from what the host gives.
//!
//! Every call has a fresh instance, so its first allocation would make the memory grow, and the host would have to take
//! the growth back after the call: two changes of the page tables, which were a fifth of what a small call costs. The
//! memory that a component begins with ends at a whole page of 64 KiB, of which stack and data leave most unused. This
//! allocator gives that away before it asks the standard one, and takes back only what was given last; a call is short.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;

/// What is given away first, in bytes: with stack and data it fits in the two pages that a small extension begins with.
const SIZE: usize = 48 << 10;

/// The allocator of a component, which has one thread.
pub(crate) struct Memory {
    bytes: UnsafeCell<MaybeUninit<[u8; SIZE]>>,
    /// How many of them are given away.
    used: Cell<usize>,
}

// SAFETY: a component has one thread; the module is compiled for no other target but its own tests, each of which has a
// value of its own.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) const fn new() -> Self {
        Self { bytes: UnsafeCell::new(MaybeUninit::uninit()), used: Cell::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    /// Where in the first bytes it lies, if there.
    fn place(&self, pointer: *mut u8) -> Option<usize> {
        let place = pointer.addr().wrapping_sub(self.start().addr());
        (place < SIZE).then_some(place)
    }
}

// SAFETY: what is given away lies within `bytes` at the alignment asked for, and no two allocations overlap, since
// `used` moves behind each and back only over the last. All else is the standard allocator's.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.start();
        let address = start.addr() + self.used.get();
        let place = address.next_multiple_of(layout.align()) - start.addr();
        match place.checked_add(layout.size()) {
            Some(end) if end <= SIZE => {
                self.used.set(end);
                // SAFETY: `place` is at most `end`, which is within `bytes`.
                unsafe { start.add(place) }
            }
            // SAFETY: the caller's promise is passed on.
            _ => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.place(pointer) {
            Some(place) if place + layout.size() == self.used.get() => self.used.set(place),
            Some(_) => {}
            // SAFETY: what does not lie here came from there.
            None => unsafe { System.dealloc(pointer, layout) },
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(place) = self.place(pointer) else {
            // SAFETY: what does not lie here came from there.
            return unsafe { System.realloc(pointer, layout, size) };
        };
        // The last one grows and shrinks where it is.
        if place + layout.size() == self.used.get() && size <= SIZE - place {
            self.used.set(place + size);
            return pointer;
        }
        if size <= layout.size() {
            return pointer;
        }
        // SAFETY: the caller promises that this size is one that a layout can have.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as for any allocation; the two do not overlap, and the old one has as many bytes as are copied.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(pointer, layout.size());
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Alloc { size: usize, align: u32 },
        Free(usize),
        Resize(usize, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (1..9000_usize, 0..7_u32).prop_map(|(size, align)| Step::Alloc { size, align: 1 << align }),
            2 => any::<usize>().prop_map(Step::Free),
            3 => (any::<usize>(), 1..9000_usize).prop_map(|(which, size)| Step::Resize(which, size)),
        ]
    }

    struct Held {
        pointer: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Held {
        fn bytes(&mut self) -> &mut [u8] {
            // SAFETY: it was given for so many bytes, which were written when it was.
            unsafe { std::slice::from_raw_parts_mut(self.pointer, self.layout.size()) }
        }

        fn fill(&mut self) {
            // SAFETY: it was given for so many bytes.
            unsafe { self.pointer.write_bytes(self.mark, self.layout.size()) };
        }
    }

    proptest! {
        #[test]
        fn what_is_given_is_aligned_and_nobody_elses(steps in vec(step(), 1..60)) {
            let memory = Memory::new();
            let mut held: Vec<Held> = Vec::new();
            for (mark, step) in (0..).zip(steps) {
                match step {
                    Step::Alloc { size, align } => {
                        let layout = Layout::from_size_align(size, align as usize).unwrap();
                        // SAFETY: the size is not zero.
                        let pointer = unsafe { memory.alloc(layout) };
                        held.push(Held { pointer, layout, mark });
                    }
                    Step::Free(which) if !held.is_empty() => {
                        let gone = held.swap_remove(which % held.len());
                        // SAFETY: it is held, and with this layout.
                        unsafe { memory.dealloc(gone.pointer, gone.layout) };
                    }
                    Step::Resize(which, size) if !held.is_empty() => {
                        let which = which % held.len();
                        let Held { pointer, layout, mark: old } = held[which];
                        // SAFETY: it is held, and with this layout; the size is not zero.
                        let pointer = unsafe { memory.realloc(pointer, layout, size) };
                        let kept = layout.size().min(size);
                        // SAFETY: so many were written before.
                        let bytes = unsafe { std::slice::from_raw_parts(pointer, kept) };
                        prop_assert!(bytes.iter().all(|&byte| byte == old), "what was there is there");
                        let layout = Layout::from_size_align(size, layout.align()).unwrap();
                        held[which] = Held { pointer, layout, mark };
                    }
                    Step::Free(_) | Step::Resize(..) => continue,
                }
                if let Some(new) = held.iter_mut().find(|held| held.mark == mark) {
                    prop_assert_eq!(new.pointer.addr() % new.layout.align(), 0);
                    new.fill();
                }
                for held in &mut held {
                    let mark = held.mark;
                    prop_assert!(held.bytes().iter().all(|&byte| byte == mark), "nobody else wrote there");
                }
            }
            for gone in held {
                // SAFETY: it is held, and with this layout.
                unsafe { memory.dealloc(gone.pointer, gone.layout) };
            }
        }
    }

    #[test]
    fn the_last_one_grows_where_it_is_and_comes_back() {
        let memory = Memory::new();
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: sizes are not zero, and layouts are those of the allocations.
        unsafe {
            let first = memory.alloc(layout(8));
            assert_eq!(memory.realloc(first, layout(8), 1000), first);
            let second = memory.alloc(layout(8));
            assert_ne!(memory.realloc(first, layout(1000), 2000), first, "it is not the last any more");
            assert!(memory.place(second).is_some());
            let large = memory.alloc(layout(SIZE));
            assert_eq!(memory.place(large), None, "there is no room for it here");
            memory.dealloc(large, layout(SIZE));
        }
    }
}
