//! Objects that hold the very bytes of another: copies of an archive are no second observation.

use std::collections::BTreeMap;
use std::io;

use sha2::{Digest, Sha256};

use crate::Object;

/// The objects without copies of others, and the names of the copies. Of equal objects the first in the list
/// stays. Only objects of equal size are compared, by their digests; what cannot be read is left for the
/// reader to report.
pub(super) fn without(objects: &[Object]) -> (Vec<Object>, Vec<String>) {
    let mut of_size: BTreeMap<u64, u32> = BTreeMap::new();
    for size in objects.iter().filter_map(|object| object.size) {
        *of_size.entry(size).or_default() += 1;
    }
    let mut seen: BTreeMap<(u64, [u8; 32]), ()> = BTreeMap::new();
    let (mut kept, mut copies) = (Vec::new(), Vec::new());
    for object in objects {
        let twin_possible = object.size.filter(|size| *size > 0 && of_size[size] > 1);
        let digest = twin_possible.and_then(|size| Some((size, digest(object)?)));
        match digest {
            Some(digest) if seen.insert(digest, ()).is_some() => copies.push(object.uri.clone()),
            _ => kept.push(object.clone()),
        }
    }
    (kept, copies)
}

fn digest(object: &Object) -> Option<[u8; 32]> {
    let mut file = std::fs::File::open(object.path.as_ref()?).ok()?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher).ok()?;
    Some(hasher.finalize().into())
}
