//! Words of PostgreSQL that the engine has not, put into others.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, ObjectName, ObjectNamePart, Query,
    Select, SelectItem, SetExpr, Statement, TableAlias, TableFactor, TableFunctionArgs, Value,
    VisitMut as _, VisitorMut,
};

use super::information::SCHEMA;
use super::procedures::PROCEDURES;
use super::settings::SHOW_ALL;

/// What a question to the catalogue cannot ask the engine in its own words.
pub(super) fn catalogue(mut statement: Statement) -> Statement {
    // It cannot stop early, so that what it went over is all.
    let _ = statement.visit(&mut Catalogue);
    named(statement)
}

struct Catalogue;

impl VisitorMut for Catalogue {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // What becomes nothing keeps its name.
        if let SetExpr::Select(select) = query.body.as_mut() {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) = item
                    && is_lacking(parts)
                    && let Some(column) = parts.last()
                {
                    *item = SelectItem::ExprWithAlias {
                        alias: column.clone(),
                        expr: Expr::CompoundIdentifier(parts.clone()),
                    };
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        let [first, second] = relation.0.as_mut_slice() else {
            return ControlFlow::Continue(());
        };
        let is = |part: &ObjectNamePart, name| {
            part.as_ident()
                .is_some_and(|part| part.value.eq_ignore_ascii_case(name))
        };
        if is(first, "pg_catalog") && is(second, PROCEDURES) {
            *first = ObjectNamePart::Identifier(Ident::new(SCHEMA));
            return ControlFlow::Continue(());
        }
        let is_theirs = first
            .as_ident()
            .is_some_and(|name| name.value.eq_ignore_ascii_case("information_schema"));
        if is_theirs {
            *first = ObjectNamePart::Identifier(Ident::new(SCHEMA));
        }
        ControlFlow::Continue(())
    }

    /// `pg_settings` becomes a call: who asks has settings of their own.
    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table {
            name, alias, args, ..
        } = table
        else {
            return ControlFlow::Continue(());
        };
        let parts = name.0.iter().map(|part| part.as_ident());
        let parts = parts.map(|part| part.map(|part| part.value.to_lowercase()));
        let parts: Option<Vec<String>> = parts.collect();
        if args.is_none() && parts.is_some_and(|parts| parts == ["pg_catalog", "pg_settings"]) {
            *name = ObjectName::from(vec![Ident::new(SHOW_ALL)]);
            *args = Some(TableFunctionArgs {
                args: Vec::new(),
                settings: None,
            });
            alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: Ident::new("pg_settings"),
                columns: Vec::new(),
                at: None,
            });
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            // `ARRAY(SELECT …)`: in the catalogue these are memberships and privileges, of which there are none.
            Expr::Function(function) if matches!(function.args, FunctionArguments::Subquery(_)) => {
                let name = last(&function.name);
                if name == "array" {
                    *expr = null(&Nothing::Texts);
                }
            }
            // The columns of an index: there is none.
            Expr::Function(function) if last(&function.name) == "_pg_expandarray" => {
                *expr = null(&Nothing::Number);
            }
            // And what is taken of them.
            Expr::CompoundFieldAccess { root, access_chain }
                if is_no_index(root) || access_chain.iter().any(is_field_of_index) =>
            {
                *expr = null(&Nothing::Number);
            }
            // Columns that the catalogue lacks, in which nothing would be.
            Expr::CompoundIdentifier(parts) if is_lacking(parts) => {
                let is_number = parts
                    .last()
                    .is_some_and(|column| column.value.eq_ignore_ascii_case("tableoid"));
                *expr = null(if is_number {
                    &Nothing::Number
                } else {
                    &Nothing::Texts
                });
            }
            Expr::Subquery(query) => one_row(query),
            // Functions are told by name there, and compared by number.
            Expr::BinaryOp { left, right, .. } if is_function(left) => {
                if let Some(name) = named_function(right) {
                    **right = Expr::value(Value::SingleQuotedString(name));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Columns of `pg_class`, `pg_attribute` and others that are left out by the catalogue, and are never more than nothing here.
const LACKING: [&str; 6] = [
    "relacl",
    "reloptions",
    "attacl",
    "tableoid",
    "typacl",
    "proacl",
];

fn is_lacking(parts: &[Ident]) -> bool {
    let [_, column] = parts else {
        return false;
    };
    LACKING
        .iter()
        .any(|lacking| column.value.eq_ignore_ascii_case(lacking))
}

/// Says of a query for one value of one row that it has no more than that, which the engine wants to see: what is looked up in the
/// catalogue by a number is there once.
fn one_row(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let is_plain =
        query.limit_clause.is_none() && query.fetch.is_none() && select.selection.is_some();
    let ([item], true) = (select.projection.as_mut_slice(), is_plain) else {
        return;
    };
    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
        return;
    };
    if matches!(expr, Expr::Function(_))
        || matches!(&select.group_by, GroupByExpr::Expressions(by, _) if !by.is_empty())
    {
        return;
    }
    *expr = Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("max")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(expr.clone()))],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    });
}

fn is_no_index(of: &Expr) -> bool {
    match of {
        Expr::Nested(inner) => is_no_index(inner),
        Expr::Cast { expr, .. } => {
            matches!(expr.as_ref(), Expr::Value(value) if value.value == Value::Null)
        }
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(is_of_index),
        Expr::Identifier(name) => is_of_index(name),
        _ => false,
    }
}

/// Whether it is the column of `pg_type` that names the function which reads its values.
fn is_function(of: &Expr) -> bool {
    let column = match of {
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Identifier(column) => Some(column),
        _ => None,
    };
    column.is_some_and(|column| column.value.eq_ignore_ascii_case("typinput"))
}

/// The name of a function whose number is looked up by it.
fn named_function(of: &Expr) -> Option<String> {
    let text = of.to_string();
    let quoted = text.split('\'').nth(1)?;
    let name = quoted.rsplit('.').next()?;
    (text.contains("pg_proc") && !name.is_empty()).then(|| name.to_owned())
}

fn is_field_of_index(access: &AccessExpr) -> bool {
    match access {
        AccessExpr::Dot(Expr::Identifier(column)) => is_of_index(column),
        _ => false,
    }
}

fn is_of_index(column: &Ident) -> bool {
    let of_index = [
        "keys",
        "indkey",
        "indoption",
        "indclass",
        "indcollation",
        "i_indoption",
        "conkey",
        "confkey",
    ];
    of_index
        .iter()
        .any(|of| column.value.eq_ignore_ascii_case(of))
}

fn last(name: &ObjectName) -> String {
    let last = name.0.last().and_then(ObjectNamePart::as_ident);
    last.map(|name| name.value.to_lowercase())
        .unwrap_or_default()
}

/// What is nothing, and of which type.
enum Nothing {
    Number,
    Texts,
}

/// Nothing, of a type.
fn null(of: &Nothing) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::value(Value::Null)),
        data_type: match of {
            Nothing::Number => DataType::Int(None),
            Nothing::Texts => DataType::Array(ArrayElemTypeDef::SquareBracket(
                Box::new(DataType::Text),
                None,
            )),
        },
        array: false,
        format: None,
    }
}

/// Gives columns without a name the one that PostgreSQL would, and each one of its own: the engine wants that.
pub(super) fn named(mut statement: Statement) -> Statement {
    let _ = statement.visit(&mut Naming);
    statement
}

struct Naming;

impl VisitorMut for Naming {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        name_body(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn name_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => name_columns(select),
        SetExpr::SetOperation { left, right, .. } => {
            name_body(left);
            name_body(right);
        }
        _ => {}
    }
}

fn name_columns(select: &mut Select) {
    let mut taken: Vec<String> = select.projection.iter().filter_map(given).collect();
    let mut seen: Vec<String> = Vec::new();
    for item in &mut select.projection {
        let (expr, name) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let name = name(expr);
                (expr.clone(), name)
            }
            SelectItem::ExprWithAlias { alias, .. } => {
                seen.push(alias.value.clone());
                continue;
            }
            _ => continue,
        };
        let is_plain = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let is_call = matches!(expr, Expr::Function(_));
        let is_second = seen.contains(&name) || (!is_plain && taken.contains(&name));
        seen.push(name.clone());
        // What is cast or computed keeps the engine's name as long as that is the only one: a name that PostgreSQL would give it is
        // often that of a column, which is then meant by it elsewhere in the statement.
        if is_second {
            let number = seen.iter().filter(|other| **other == name).count() + 1;
            let own = (number..)
                .map(|number| format!("{name}_{number}"))
                .find(|own| !taken.contains(own));
            let own = own.unwrap_or(name);
            taken.push(own.clone());
            *item = aliased(expr, own);
        } else if is_call {
            taken.push(name.clone());
            *item = aliased(expr, name);
        }
    }
}

fn aliased(expr: Expr, name: String) -> SelectItem {
    SelectItem::ExprWithAlias {
        expr,
        alias: Ident::with_quote('"', name),
    }
}

/// The name that a column has already.
fn given(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(expr @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))) => {
            Some(name(expr))
        }
        _ => None,
    }
}

/// How PostgreSQL names a column that has no name.
fn name(of: &Expr) -> String {
    let folded = |ident: &Ident| match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    };
    match of {
        Expr::Identifier(name) => folded(name),
        Expr::CompoundIdentifier(parts) => parts.last().map(folded).unwrap_or_default(),
        Expr::Function(function) => last(&function.name),
        Expr::Cast {
            expr, data_type, ..
        } => match name(expr).as_str() {
            "?column?" => data_type.to_string().to_lowercase(),
            inner => inner.to_owned(),
        },
        Expr::Nested(inner) => name(inner),
        Expr::Case { else_result, .. } => match else_result.as_deref().map(name) {
            Some(inner) if inner != "?column?" => inner,
            _ => "case".to_owned(),
        },
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        Expr::Substring { .. } => "substring".to_owned(),
        Expr::Trim { .. } => "btrim".to_owned(),
        Expr::Position { .. } => "position".to_owned(),
        Expr::Ceil { .. } => "ceil".to_owned(),
        Expr::Floor { .. } => "floor".to_owned(),
        Expr::AtTimeZone { .. } => "timezone".to_owned(),
        Expr::TypedString(_) => "?column?".to_owned(),
        Expr::Subquery(query) => match names_of(&query.body).as_deref() {
            Some([only]) => only.clone(),
            _ => "?column?".to_owned(),
        },
        _ => "?column?".to_owned(),
    }
}

/// How PostgreSQL names the columns of a statement's answer. None, if that takes more than the text.
pub(crate) fn names(statement: &Statement) -> Option<Vec<String>> {
    match statement {
        Statement::Query(query) => names_of(&query.body),
        _ => None,
    }
}

fn names_of(body: &SetExpr) -> Option<Vec<String>> {
    match body {
        SetExpr::Select(select) => select
            .projection
            .iter()
            .map(|item| match item {
                SelectItem::UnnamedExpr(expr) => Some(name(expr)),
                SelectItem::ExprWithAlias { expr, alias } => {
                    Some(match suffix(&alias.value, &name(expr)) {
                        true => name(expr),
                        false if alias.quote_style.is_some() => alias.value.clone(),
                        false => alias.value.to_lowercase(),
                    })
                }
                _ => None,
            })
            .collect(),
        SetExpr::Query(query) => names_of(&query.body),
        SetExpr::SetOperation { left, .. } => names_of(left),
        _ => None,
    }
}

/// Whether a name is one that was made of another as that was taken.
fn suffix(name: &str, of: &str) -> bool {
    let rest = name
        .strip_prefix(of)
        .and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
