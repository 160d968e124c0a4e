//! Functions of PostgreSQL that the engine and the catalogue lack.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, BooleanArray, StringArray};
use arrow_schema::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, exec_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

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
    for name in [
        "has_function_privilege",
        "has_column_privilege",
        "has_type_privilege",
        "has_language_privilege",
    ] {
        context.register_udf(constant(name, any_of(2..=4), yes()));
    }
    context.register_udf(constant("pg_has_role", any_of(2..=3), yes()));
    for name in [
        "obj_description",
        "col_description",
        "shobj_description",
        "pg_get_indexdef",
        "pg_get_triggerdef",
        "pg_get_viewdef",
        "pg_get_ruledef",
        "pg_get_serial_sequence",
        "pg_get_function_sqlbody",
        "pg_tablespace_location",
        "pg_get_function_result",
        "pg_get_function_arguments",
        "pg_get_function_identity_arguments",
        "pg_get_functiondef",
        "pg_get_statisticsobjdef",
    ] {
        context.register_udf(constant(name, any_of(1..=4), no_text()));
    }
    register_numbers(context);
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
    ] {
        context.register_udf(constant(name, any_of(1..=1), ScalarValue::Int64(None)));
    }
    context.register_udf(constant(
        "pg_size_pretty",
        any_of(1..=1),
        ScalarValue::Utf8(None),
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
