//! Questions whose tables can be named without their schema: dashboards ask it of `search_path`.
//!
//! Grafana, and those that took it from there, take that setting apart in a subquery of set-returning functions, and list what
//! is in one of its schemas. The engine cannot take it apart so; and the parser of the catalogue puts `''` in its place, of which
//! the answer is no table at all, and no error. Here one schema alone has tables, and these are found without it whatever
//! `search_path` is set to, so that the list is known.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Query, SetExpr, TableFactor, Value, VisitMut as _, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// The same text, in which `… IN (SELECT … of search_path)` is `… IN ('public')`. None, if there is nothing of this in it.
pub(super) fn listed(sql: &str) -> Option<String> {
    if !sql.to_lowercase().contains("search_path") {
        return None;
    }
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let mut listing = Listing { found: false };
    let _ = statements.visit(&mut listing);
    let [statement] = statements.as_slice() else {
        return None;
    };
    listing.found.then(|| statement.to_string())
}

struct Listing {
    found: bool,
}

impl VisitorMut for Listing {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::InSubquery {
            expr: of,
            subquery,
            negated,
        } = expr
            && is_of_search_path(subquery)
        {
            let schema = Value::SingleQuotedString(outflow_query::SCHEMA.to_owned());
            *expr = Expr::InList {
                expr: of.clone(),
                list: vec![Expr::value(schema)],
                negated: *negated,
            };
            self.found = true;
        }
        ControlFlow::Continue(())
    }
}

/// Whether a subquery reads the setting and nothing else: what it selects from are functions.
fn is_of_search_path(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return false;
    };
    let is_function = |factor: &TableFactor| {
        matches!(
            factor,
            TableFactor::Function { .. }
                | TableFactor::TableFunction { .. }
                | TableFactor::UNNEST { .. }
                | TableFactor::Table { args: Some(_), .. }
        )
    };
    let mut factors = select.from.iter().flat_map(|table| {
        let joined = table.joins.iter().map(|join| &join.relation);
        std::iter::once(&table.relation).chain(joined)
    });
    let text = query.to_string().to_lowercase();
    query.with.is_none()
        && select.selection.is_none()
        && factors.all(is_function)
        && text.contains("current_setting('search_path'")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_PATH: &str = "SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM \
        generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), \
        array_upper(string_to_array(current_setting('search_path'),','),1)) as i, \
        string_to_array(current_setting('search_path'),',') s";

    #[test]
    fn the_schemas_of_the_path_are_the_one_that_has_tables() {
        let sql = format!("SELECT quote_ident(table_schema) IN (\n{OF_PATH}\n) AS a FROM x");
        assert_eq!(
            listed(&sql).unwrap(),
            "SELECT quote_ident(table_schema) IN ('public') AS a FROM x"
        );
        let unnested = "SELECT 1 FROM x WHERE a NOT IN (SELECT unnest(string_to_array(current_setting('search_path'), ',')))";
        assert_eq!(
            listed(unnested).unwrap(),
            "SELECT 1 FROM x WHERE a NOT IN ('public')"
        );
    }

    #[test]
    fn what_reads_more_than_the_path_stays() {
        for sql in [
            "SELECT current_setting('search_path')",
            "SELECT 1 FROM x WHERE a IN (SELECT b FROM y WHERE c = current_setting('search_path'))",
            "SELECT 1 FROM x WHERE a IN (SELECT b FROM y, unnest(current_setting('search_path')))",
            "SELECT 1 FROM x WHERE a IN (SELECT 1) AND b = 'search_path'",
        ] {
            assert_eq!(listed(sql), None, "{sql}");
        }
    }
}
