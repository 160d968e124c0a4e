//! Functions of PostgreSQL that the engine and the catalogue lack.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, BooleanArray, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::common::cast::{as_int64_array, as_string_array};
use datafusion::common::{Result, exec_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use super::procedures::Procedure;
use crate::settings::{SERVER_VERSION, Settings};

/// What such a function does with its arguments.
type Body = Arc<dyn Fn(&[ColumnarValue], usize) -> Result<ColumnarValue> + Send + Sync>;

/// One of them.
struct Plain {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    body: Body,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Plain {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.body, &other.body)
    }
}

impl Eq for Plain {}

impl std::hash::Hash for Plain {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Plain {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        (self.body)(&args.args, args.number_rows)
    }
}

fn plain(
    name: &'static str,
    takes: TypeSignature,
    returns: DataType,
    body: impl Fn(&[ColumnarValue], usize) -> Result<ColumnarValue> + Send + Sync + 'static,
) -> ScalarUDF {
    ScalarUDF::new_from_impl(Plain {
        name,
        // Its answer may be another with each statement, and is the same within one.
        signature: Signature::new(takes, Volatility::Stable),
        returns,
        body: Arc::new(body),
    })
}

fn text(value: impl Into<String>) -> ColumnarValue {
    ColumnarValue::Scalar(ScalarValue::Utf8(Some(value.into())))
}

/// A function that always answers the same.
fn constant(name: &'static str, takes: TypeSignature, value: ScalarValue) -> ScalarUDF {
    plain(name, takes, value.data_type(), move |_, _| {
        Ok(ColumnarValue::Scalar(value.clone()))
    })
}

fn any_of(counts: std::ops::RangeInclusive<usize>) -> TypeSignature {
    let each = counts.map(|count| match count {
        0 => TypeSignature::Nullary,
        count => TypeSignature::Any(count),
    });
    TypeSignature::OneOf(each.collect())
}

/// Registers what is the same for all clients.
pub(super) fn register(context: &SessionContext) {
    let yes = || ScalarValue::Boolean(Some(true));
    let no_text = || ScalarValue::Utf8(None);
    for name in [
        "pg_function_is_visible",
        "pg_type_is_visible",
        "pg_operator_is_visible",
        "pg_collation_is_visible",
        "pg_conversion_is_visible",
        "pg_opclass_is_visible",
        "pg_opfamily_is_visible",
        "pg_statistics_obj_is_visible",
        "pg_ts_config_is_visible",
        "pg_ts_dict_is_visible",
    ] {
        context.register_udf(constant(name, any_of(1..=1), yes()));
    }
    for (name, arguments) in [
        ("has_table_privilege", 2..=3),
        ("has_any_column_privilege", 2..=3),
        ("has_column_privilege", 3..=4),
        ("has_schema_privilege", 2..=3),
        ("has_database_privilege", 2..=3),
        ("has_function_privilege", 2..=3),
        ("has_type_privilege", 2..=3),
        ("has_language_privilege", 2..=3),
    ] {
        context.register_udf(plain(name, any_of(arguments), DataType::Boolean, may));
    }
    context.register_udf(constant("pg_has_role", any_of(2..=3), yes()));
    for name in [
        "col_description",
        "shobj_description",
        "pg_get_indexdef",
        "pg_get_triggerdef",
        "pg_get_viewdef",
        "pg_get_ruledef",
        "pg_get_serial_sequence",
        "pg_get_function_sqlbody",
        "pg_tablespace_location",
        "pg_get_functiondef",
        "pg_get_statisticsobjdef",
    ] {
        context.register_udf(constant(name, any_of(1..=4), no_text()));
    }
    for (name, tells) in [
        (
            "pg_get_function_result",
            Procedure::result_told as fn(&Procedure) -> String,
        ),
        ("pg_get_function_arguments", Procedure::arguments_told),
        (
            "pg_get_function_identity_arguments",
            Procedure::arguments_told,
        ),
        ("obj_description", Procedure::description),
    ] {
        let of_function = move |args: &[ColumnarValue], rows| of_function(args, rows, tells);
        context.register_udf(plain(name, any_of(1..=2), DataType::Utf8, of_function));
    }
    register_numbers(context);
}

/// What is told of a function of Outflow's, by its number. Of PostgreSQL's own, nothing is: the engine has few of them.
fn of_function(
    args: &[ColumnarValue],
    rows: usize,
    tells: fn(&Procedure) -> String,
) -> Result<ColumnarValue> {
    let numbers = cast(&args[0].to_array(rows)?, &DataType::Int64)?;
    let numbers = as_int64_array(&numbers)?.iter();
    let told = numbers.map(|number| number.and_then(Procedure::of).map(tells));
    self::told(told.collect(), args)
}

/// What may be done with something: to read and to call, and nothing else. One of several privileges is enough.
fn may(args: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let Some(asked) = args.last() else {
        return exec_err!("a privilege is asked for by its name");
    };
    let asked = cast(&asked.to_array(rows)?, &DataType::Utf8)?;
    let asked = as_string_array(&asked)?.iter();
    let reads = |privilege: &str| {
        let privilege = privilege.trim();
        ["SELECT", "USAGE", "CONNECT", "EXECUTE"]
            .iter()
            .any(|read| read.eq_ignore_ascii_case(privilege))
    };
    let may = asked.map(|asked| Some(asked?.split(',').any(reads)));
    Ok(ColumnarValue::Array(Arc::new(
        may.collect::<BooleanArray>(),
    )))
}

/// Registers what tells numbers, and the version.
fn register_numbers(context: &SessionContext) {
    context.register_udf(constant(
        "pg_is_in_recovery",
        any_of(0..=0),
        ScalarValue::Boolean(Some(false)),
    ));
    context.register_udf(constant(
        "txid_current",
        any_of(0..=0),
        ScalarValue::Int64(Some(1)),
    ));
    // How large something is cannot be told by the number of a table.
    for name in [
        "pg_database_size",
        "pg_table_size",
        "pg_indexes_size",
        "pg_tablespace_size",
        "pg_relation_size",
        "pg_total_relation_size",
    ] {
        context.register_udf(constant(name, any_of(1..=2), ScalarValue::Int64(None)));
    }
    context.register_udf(plain(
        "pg_size_pretty",
        TypeSignature::Exact(vec![DataType::Int64]),
        DataType::Utf8,
        |args, rows| {
            let sizes = args[0].to_array(rows)?;
            let sizes = as_int64_array(&sizes)?.iter();
            told(sizes.map(|size| size.map(pretty)).collect(), args)
        },
    ));
    let version = format!(
        "PostgreSQL {SERVER_VERSION} (Outflow {})",
        env!("CARGO_PKG_VERSION")
    );
    context.register_udf(constant(
        "version",
        any_of(0..=0),
        ScalarValue::from(version),
    ));
}

/// A size as PostgreSQL writes it: a whole number, rounded away from zero at a half, of the smallest unit in which it is below 10,240;
/// of the last unit, any number.
fn pretty(size: i64) -> String {
    const BELOW: u64 = 10_240;
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let sign = if size < 0 { "-" } else { "" };
    let size = size.unsigned_abs();
    let mut last = String::new();
    for (at, unit) in UNITS.iter().enumerate() {
        let rounded = match at {
            0 => size,
            // In halves first: that is all that rounding needs to know.
            at => (size >> (10 * at - 1)).div_ceil(2),
        };
        last = format!("{sign}{rounded} {unit}");
        if rounded < BELOW {
            break;
        }
    }
    last
}

/// Registers what is different for each client.
pub(super) fn personal(
    context: &SessionContext,
    settings: &Arc<Mutex<Settings>>,
    user: &str,
    process: i32,
) {
    let user = user.to_owned();
    context.register_udf(
        plain(
            "session_user",
            any_of(0..=0),
            DataType::Utf8,
            move |_, _| Ok(text(user.clone())),
        )
        .with_aliases(["current_user", "user"]),
    );
    context.register_udf(constant(
        "pg_backend_pid",
        any_of(0..=0),
        ScalarValue::Int32(Some(process)),
    ));
    context.register_udf(current_setting(settings));
    context.register_udf(set_config(settings));
    super::settings::register(context, settings);
}

/// `current_setting(name [, missing_ok])`.
fn current_setting(settings: &Arc<Mutex<Settings>>) -> ScalarUDF {
    let settings = Arc::clone(settings);
    let takes = TypeSignature::OneOf(vec![
        TypeSignature::Exact(vec![DataType::Utf8]),
        TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean]),
    ]);
    plain(
        "current_setting",
        takes,
        DataType::Utf8,
        move |args, rows| {
            let names = args[0].to_array(rows)?;
            let names = as_string_array(&names)?;
            let missing_ok = match args.get(1) {
                Some(missing_ok) => flag(missing_ok, rows)?,
                None => false,
            };
            let settings = settings.lock().unwrap_or_else(PoisonError::into_inner);
            let values = names.iter().map(|name| {
                let Some(name) = name else {
                    return Ok(None);
                };
                match settings.get(name) {
                    Some(value) => Ok(Some(value.to_owned())),
                    None if missing_ok => Ok(None),
                    None => exec_err!("unrecognized configuration parameter \"{name}\""),
                }
            });
            told(values.collect::<Result<StringArray>>()?, args)
        },
    )
}

/// `set_config(name, value, is_local)`.
fn set_config(settings: &Arc<Mutex<Settings>>) -> ScalarUDF {
    let settings = Arc::clone(settings);
    let takes = TypeSignature::Exact(vec![DataType::Utf8, DataType::Utf8, DataType::Boolean]);
    plain("set_config", takes, DataType::Utf8, move |args, rows| {
        let (names, values) = (args[0].to_array(rows)?, args[1].to_array(rows)?);
        let (names, values) = (as_string_array(&names)?, as_string_array(&values)?);
        let mut settings = settings.lock().unwrap_or_else(PoisonError::into_inner);
        let set = names.iter().zip(values).map(|(name, value)| {
            let Some(name) = name else {
                return Ok(None);
            };
            let done = settings.set(name, value);
            done.map_err(|problem| DataFusionError::Execution(problem.message.into()))?;
            Ok(settings.get(name).map(str::to_owned))
        });
        told(set.collect::<Result<StringArray>>()?, args)
    })
}

fn flag(of: &ColumnarValue, rows: usize) -> Result<bool> {
    let array = of.to_array(rows.max(1))?;
    let flags = array.as_any().downcast_ref::<BooleanArray>();
    Ok(flags.is_some_and(|flags| !flags.is_empty() && flags.iter().next() == Some(Some(true))))
}

/// An answer for each row, or one for all if the arguments are.
fn told(values: StringArray, args: &[ColumnarValue]) -> Result<ColumnarValue> {
    let values: ArrayRef = Arc::new(values);
    let is_one = args
        .iter()
        .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    if is_one && !values.is_empty() {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
            &values, 0,
        )?));
    }
    Ok(ColumnarValue::Array(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_postgresql_does() {
        for (size, written) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (-10_240, "-10 kB"),
            (10_752, "11 kB"),
            (10_751, "10 kB"),
            (10_485_247, "10239 kB"),
            (10_485_248, "10 MB"),
            (328_353_974_728, "306 GB"),
            (i64::MAX, "8192 PB"),
            (i64::MIN, "-8192 PB"),
        ] {
            assert_eq!(pretty(size), written, "{size}");
        }
    }

    #[test]
    fn who_asks_may_read_and_nothing_else() {
        let asked = ["SELECT", "insert", "INSERT, select", "CREATE", "usage"];
        let asked = asked.map(ScalarValue::from);
        let asked = ScalarValue::iter_to_array(asked).unwrap();
        let may = may(&[text("flows"), ColumnarValue::Array(asked)], 5).unwrap();
        let may = may.to_array(5).unwrap();
        let expected = BooleanArray::from(vec![true, false, true, false, true]);
        assert_eq!(may.as_any().downcast_ref::<BooleanArray>(), Some(&expected));
    }
}
