//! Values for the places of a query.
//!
//! They become literals of the parsed query, so that the engine knows their types when it plans, and no value is ever read
//! as SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use arrow_array::{Array as _, ArrayRef};
use datafusion::common::ScalarValue;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Value, visit_expressions_mut,
};

use crate::error::Error;

/// Puts values in the places `$name` of a statement.
///
/// # Errors
/// [`Error::Place`] if a value is for a place that it does not have, or the other way round.
pub fn bind(statement: &mut Statement, values: Vec<(String, ScalarValue)>) -> Result<(), Error> {
    let statement = match statement {
        Statement::Statement(sql) => sql,
        Statement::Explain(explained) => return bind(&mut explained.statement, values),
        _ => return Ok(()),
    };
    let mut bound = BTreeSet::new();
    let stopped = visit_expressions_mut(statement.as_mut(), |expr| {
        let Expr::Value(value) = expr else {
            return ControlFlow::Continue(());
        };
        let Value::Placeholder(place) = &value.value else {
            return ControlFlow::Continue(());
        };
        let name = place.trim_start_matches('$').to_owned();
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => {
                *expr = literal(value);
                bound.insert(name);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(Error::Place {
                name,
                reason: "it has no value",
            }),
        }
    });
    if let ControlFlow::Break(error) = stopped {
        return Err(error);
    }
    match values.into_iter().find(|(name, _)| !bound.contains(name)) {
        Some((name, _)) => Err(Error::Place {
            name,
            reason: "there is no such place in the query",
        }),
        None => Ok(()),
    }
}

fn text(of: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(of.to_owned()))
}

fn literal(value: &ScalarValue) -> Expr {
    match value {
        ScalarValue::Utf8View(Some(value)) => text(value),
        ScalarValue::Int64(Some(number)) if *number >= 0 => {
            Expr::value(Value::Number(number.to_string(), false))
        }
        ScalarValue::Boolean(Some(value)) => Expr::value(Value::Boolean(*value)),
        ScalarValue::TimestampMicrosecond(Some(micros), _) => {
            cast(Expr::value(Value::Number(micros.to_string(), false)), value)
        }
        ScalarValue::List(list) if list.len() == 1 && list.is_valid(0) => {
            list_of(value, &list.value(0))
        }
        // The engine's own cast knows every type, and no value of one is ambiguous as a text.
        other if other.is_null() => cast(Expr::value(Value::Null), other),
        other => cast(text(&other.to_string()), other),
    }
}

/// `make_array(value, …)`; one that is empty is cast, as it tells nothing of its type.
fn list_of(list: &ScalarValue, elements: &ArrayRef) -> Expr {
    let values = (0..elements.len()).map(|at| ScalarValue::try_from_array(elements, at));
    match values.collect::<Result<Vec<_>, _>>() {
        Ok(values) if !values.is_empty() => call("make_array", values.iter().map(literal)),
        // An empty list reads as one of any type.
        _ => cast(call("make_array", std::iter::empty()), list),
    }
}

/// `arrow_cast(value, 'type')`.
fn cast(value: Expr, of: &ScalarValue) -> Expr {
    call("arrow_cast", [value, text(&of.data_type().to_string())])
}

fn call(name: &str, args: impl IntoIterator<Item = Expr>) -> Expr {
    let argument = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
