//! Sizes, durations and counts as people read them.

/// A number of bytes in decimal units and about three digits.
///
/// ```
/// use outflow_finding::human_bytes;
/// assert_eq!(human_bytes(999), "999 B");
/// assert_eq!(human_bytes(1_234_567_890), "1.2 GB");
/// assert_eq!(human_bytes(45_600_000), "45.6 MB");
/// assert_eq!(human_bytes(789_000_000_000), "789 GB");
/// ```
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = 1000u128;
    for unit in UNITS {
        let tenths = (u128::from(bytes) * 10 + size / 2) / size;
        if tenths < 1000 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        let whole = (u128::from(bytes) + size / 2) / size;
        if whole < 1000 {
            return format!("{whole} {unit}");
        }
        size *= 1000;
    }
    // Beyond any count of 64 bits.
    format!("{bytes} B")
}

/// A duration in its two largest units.
///
/// ```
/// use outflow_finding::human_duration;
/// assert_eq!(human_duration(45), "45 s");
/// assert_eq!(human_duration(7_800), "2 h 10 min");
/// assert_eq!(human_duration(259_200), "3 d");
/// ```
pub fn human_duration(secs: u64) -> String {
    const UNITS: [(u64, &str, u64, &str); 3] = [
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ];
    for (size, unit, next_size, next_unit) in UNITS {
        if secs >= size {
            return match secs % size / next_size {
                0 => format!("{} {unit}", secs / size),
                rest => format!("{} {unit} {rest} {next_unit}", secs / size),
            };
        }
    }
    format!("{secs} s")
}

/// A count with its thousands apart.
///
/// ```
/// use outflow_finding::human_count;
/// assert_eq!(human_count(1_234_567), "1,234,567");
/// ```
pub fn human_count(count: u64) -> String {
    let digits = count.to_string();
    let mut apart = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

#[cfg(test)]
mod tests;
