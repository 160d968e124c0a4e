//! What one cell says, spelt as a line of text would have it. It defines what a column means: the readings of
//! [`super::column`] must agree with it.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::DataType;

use crate::naive::{LINE_MAX, Value, read_value};
use crate::{Field, Kind};

/// A number of a column, whatever its type.
pub(super) trait Whole: Copy {
    /// The number if it is whole, not negative, and within 64 bits.
    fn whole(self) -> Option<u64>;
    /// The number as it is, for a message.
    fn spelt(self) -> String;
}

macro_rules! integers {
    ($($native:ty)+) => { $(impl Whole for $native {
        #[inline(always)]
        fn whole(self) -> Option<u64> {
            u64::try_from(self).ok()
        }

        fn spelt(self) -> String {
            self.to_string()
        }
    })+ };
}

integers! { i8 i16 i32 i64 u8 u16 u32 u64 }

impl Whole for f64 {
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "only what is whole, not negative and below 2^64 is converted"
    )]
    fn whole(self) -> Option<u64> {
        const END: f64 = 18_446_744_073_709_551_616.0;
        let whole = self.is_sign_positive() && self < END && self.trunc() == self;
        whole.then_some(self as u64)
    }

    fn spelt(self) -> String {
        self.to_string()
    }
}

impl Whole for f32 {
    #[inline(always)]
    fn whole(self) -> Option<u64> {
        f64::from(self).whole()
    }

    fn spelt(self) -> String {
        self.to_string()
    }
}

/// Whether a number stands for an account, whose leading zeros it has lost.
fn is_account(field: Field) -> bool {
    matches!(
        field,
        Field::AccountId | Field::TgwSrcVpcAccountId | Field::TgwDstVpcAccountId
    )
}

/// How a number is spelt in the column of a field.
pub(super) fn spell_number<N: Whole>(field: Field, number: N) -> String {
    match number.whole() {
        Some(number) if is_account(field) => format!("{number:012}"),
        Some(number) => number.to_string(),
        None => number.spelt(),
    }
}

/// What a text in the column of a field stands for; `-` if for nothing.
pub(super) fn spell_text(field: Field, text: &str) -> &str {
    let number = !matches!(field.kind(), Kind::Text | Kind::Tag | Kind::Addr);
    // Tables that went through Python spell an absent number so.
    if text.is_empty() || number && text == "None" {
        return "-";
    }
    text
}

/// Reads a text of a column as that of a line; `None` if it is no value of the field.
pub(super) fn read_text(field: Field, text: &str) -> Option<Value<'_>> {
    let spelt = spell_text(field, text);
    (spelt.len() <= LINE_MAX).then(|| read_value(field, spelt))?
}

/// A cell as a line would have it; `-` if it is null, and `None` if no field is stored as this type.
pub(crate) fn spell(field: Field, column: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    if column.is_null(row) {
        return Some(Cow::Borrowed("-"));
    }
    fn number<P>(field: Field, column: &dyn Array, row: usize) -> Option<Cow<'_, str>>
    where
        P: ArrowPrimitiveType,
        P::Native: Whole,
    {
        let number = column.as_primitive_opt::<P>()?.value(row);
        Some(Cow::Owned(spell_number(field, number)))
    }
    match column.data_type() {
        DataType::Null => Some(Cow::Borrowed("-")),
        DataType::Utf8 => {
            let text = column.as_string_opt::<i32>()?.value(row);
            Some(Cow::Borrowed(spell_text(field, text)))
        }
        DataType::Utf8View => {
            let text = column.as_string_view_opt()?.value(row);
            Some(Cow::Borrowed(spell_text(field, text)))
        }
        DataType::Dictionary(_, _) => {
            let column = column.as_dictionary_opt::<Int32Type>()?;
            let texts = column.values().as_string_opt::<i32>()?;
            let at = usize::try_from(column.keys().value(row)).ok()?;
            let text = texts.is_valid(at).then(|| texts.value(at));
            Some(Cow::Borrowed(spell_text(field, text.unwrap_or_default())))
        }
        DataType::Int8 => number::<Int8Type>(field, column, row),
        DataType::Int16 => number::<Int16Type>(field, column, row),
        DataType::Int32 => number::<Int32Type>(field, column, row),
        DataType::Int64 => number::<Int64Type>(field, column, row),
        DataType::UInt8 => number::<UInt8Type>(field, column, row),
        DataType::UInt16 => number::<UInt16Type>(field, column, row),
        DataType::UInt32 => number::<UInt32Type>(field, column, row),
        DataType::UInt64 => number::<UInt64Type>(field, column, row),
        DataType::Float32 => number::<Float32Type>(field, column, row),
        DataType::Float64 => number::<Float64Type>(field, column, row),
        _ => None,
    }
}
