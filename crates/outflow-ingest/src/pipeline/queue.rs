//! Objects as the workers take them.

use std::sync::{Mutex, PoisonError};

use crate::Object;
use crate::s3::{Ahead, Fetched};

/// Objects in order. Those in S3 are on their way when they are taken.
pub(crate) struct Queue<'o> {
    next: Mutex<Next<'o>>,
}

struct Next<'o> {
    objects: std::slice::Iter<'o, Object>,
    ahead: Option<Ahead>,
}

impl<'o> Queue<'o> {
    pub(crate) fn new(objects: &'o [Object]) -> Self {
        let ahead = Ahead::of(objects.iter().filter_map(|object| object.s3.as_ref()));
        let objects = objects.iter();
        Self {
            next: Mutex::new(Next { objects, ahead }),
        }
    }

    /// The next object. Who waits for the place of one in S3 waits under the lock: the others would wait, too, and
    /// every object must get its own bytes.
    pub(crate) fn next(&self) -> Option<(&'o Object, Option<Fetched>)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let object = next.objects.next()?;
        let fetched = match (&object.s3, &mut next.ahead) {
            (Some(_), Some(ahead)) => ahead.next(),
            _ => None,
        };
        Some((object, fetched))
    }

    /// The objects that nobody took yet.
    pub(crate) fn rest(&self) -> &'o [Object] {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.objects.as_slice()
    }
}
