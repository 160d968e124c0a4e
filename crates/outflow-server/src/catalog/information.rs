//! The information schema as PostgreSQL has it: the engine's own has types of its own, and fewer columns.

use std::sync::{Arc, Weak};

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion::catalog::{CatalogProviderList, MemTable, SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableType;
use datafusion::prelude::SessionContext;
use outflow_query::CATALOG;
use pgwire::api::Type;

use super::procedures::{PROCEDURES, Procedure, Procedures};

/// The schema that statements find it in; `information_schema` itself is the engine's.
pub(super) const SCHEMA: &str = "pg_information_schema";

/// Its tables. Those without columns of their own here have what all have, and no rows.
const TABLES: [&str; 13] = [
    PROCEDURES,
    "schemata",
    "tables",
    "views",
    "columns",
    "table_constraints",
    "key_column_usage",
    "referential_constraints",
    "constraint_column_usage",
    "check_constraints",
    "routines",
    "parameters",
    "triggers",
];

/// Makes it part of a session.
pub(super) fn register(context: &SessionContext) -> Result<(), DataFusionError> {
    let catalogs = Arc::clone(context.state().catalog_list());
    let lacking = || DataFusionError::Internal(format!("there is no catalog `{CATALOG}`"));
    let catalog = catalogs.catalog(CATALOG).ok_or_else(lacking)?;
    let schema = Information {
        // It is part of what it tells of.
        catalogs: Arc::downgrade(&catalogs),
    };
    catalog.register_schema(SCHEMA, Arc::new(schema))?;
    Ok(())
}

#[derive(Debug)]
struct Information {
    catalogs: Weak<dyn CatalogProviderList>,
}

/// A column of a table, by name: a text or a number for each row.
#[derive(Debug)]
pub(super) enum Told {
    Text(&'static str, Vec<Option<String>>),
    Number(&'static str, Vec<Option<i32>>),
}

impl Information {
    async fn find(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(catalogs) = self.catalogs.upgrade() else {
            return Ok(None);
        };
        let columns = match name {
            "schemata" => schemata(),
            "tables" => tables(&catalogs, |_| true).await?,
            "views" => tables(&catalogs, |of| of == TableType::View).await?,
            "columns" => columns(&catalogs).await?,
            "routines" => routines(),
            PROCEDURES => return Procedures::of(&catalogs).await.map(Some),
            name if TABLES.contains(&name) => nothing(),
            _ => return Ok(None),
        };
        let table = table(columns)?;
        Ok(Some(table))
    }
}

impl SchemaProvider for Information {
    fn table_names(&self) -> Vec<String> {
        // It is shown under its own name, by the engine's list; twice would be once too many.
        Vec::new()
    }

    fn table<'s, 'name, 'all>(
        &'s self,
        name: &'name str,
    ) -> std::pin::Pin<
        Box<
            dyn Future<Output = Result<Option<Arc<dyn TableProvider>>, DataFusionError>>
                + Send
                + 'all,
        >,
    >
    where
        's: 'all,
        'name: 'all,
        Self: 'all,
    {
        Box::pin(self.find(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.contains(&name)
    }
}

/// A table of these columns.
pub(super) fn table(columns: Vec<Told>) -> Result<Arc<MemTable>, DataFusionError> {
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for column in columns {
        match column {
            Told::Text(name, values) => {
                fields.push(Field::new(name, DataType::Utf8, true));
                arrays.push(Arc::new(StringArray::from(values)));
            }
            Told::Number(name, values) => {
                fields.push(Field::new(name, DataType::Int32, true));
                arrays.push(Arc::new(Int32Array::from(values)));
            }
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

pub(super) fn all(name: &'static str, value: &str, rows: usize) -> Told {
    Told::Text(name, vec![Some(value.to_owned()); rows])
}

pub(super) fn none(name: &'static str, rows: usize) -> Told {
    Told::Text(name, vec![None; rows])
}

fn schemata() -> Vec<Told> {
    let names = ["information_schema", "pg_catalog", outflow_query::SCHEMA];
    let rows = names.len();
    vec![
        all("catalog_name", CATALOG, rows),
        Told::Text(
            "schema_name",
            names.map(|name| Some(name.to_owned())).to_vec(),
        ),
        all("schema_owner", "postgres", rows),
    ]
}

/// Outflow's functions. A function of a group is none of the standard's.
fn routines() -> Vec<Told> {
    let own = Procedure::all();
    let text = |of: &dyn Fn(&Procedure) -> Option<String>| own.iter().map(of).collect::<Vec<_>>();
    let kind = |of: &Procedure| of.is_plain().then(|| "FUNCTION".to_owned());
    vec![
        all("specific_catalog", CATALOG, own.len()),
        all("specific_schema", outflow_query::SCHEMA, own.len()),
        Told::Text("specific_name", text(&|of| Some(of.specific_name()))),
        all("routine_catalog", CATALOG, own.len()),
        all("routine_schema", outflow_query::SCHEMA, own.len()),
        Told::Text("routine_name", text(&|of| Some(of.name().to_owned()))),
        Told::Text("routine_type", text(&kind)),
        Told::Text("data_type", text(&|of| Some(of.result_told()))),
        none("routine_definition", own.len()),
        all("external_language", "INTERNAL", own.len()),
    ]
}

/// What constraints, parameters and triggers would have, of which there are none.
fn nothing() -> Vec<Told> {
    [
        "constraint_catalog",
        "constraint_schema",
        "constraint_name",
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "constraint_type",
        "unique_constraint_catalog",
        "unique_constraint_schema",
        "unique_constraint_name",
        "check_clause",
        "update_rule",
        "delete_rule",
        "specific_catalog",
        "specific_schema",
        "specific_name",
        "routine_catalog",
        "routine_schema",
        "routine_name",
        "routine_type",
        "data_type",
        "parameter_name",
        "trigger_schema",
        "trigger_name",
        "event_object_schema",
        "event_object_table",
    ]
    .map(|name| none(name, 0))
    .into_iter()
    .chain([Told::Number("ordinal_position", Vec::new())])
    .collect()
}

/// The tables of the lake, with their columns.
pub(crate) async fn each(
    catalogs: &Arc<dyn CatalogProviderList>,
) -> Result<Vec<(String, Arc<dyn TableProvider>)>, DataFusionError> {
    let schema = catalogs
        .catalog(CATALOG)
        .and_then(|catalog| catalog.schema(outflow_query::SCHEMA));
    let Some(schema) = schema else {
        return Ok(Vec::new());
    };
    let mut names = schema.table_names();
    names.sort();
    let mut found = Vec::new();
    for name in names {
        if let Some(table) = schema.table(&name).await? {
            found.push((name, table));
        }
    }
    Ok(found)
}

async fn tables(
    catalogs: &Arc<dyn CatalogProviderList>,
    wanted: impl Fn(TableType) -> bool,
) -> Result<Vec<Told>, DataFusionError> {
    let mut found = each(catalogs).await?;
    found.retain(|(_, table)| wanted(table.table_type()));
    let kinds = found.iter().map(|(_, table)| match table.table_type() {
        TableType::View => Some("VIEW".to_owned()),
        TableType::Base | TableType::Temporary => Some("BASE TABLE".to_owned()),
    });
    let rows = found.len();
    Ok(vec![
        all("table_catalog", CATALOG, rows),
        all("table_schema", outflow_query::SCHEMA, rows),
        Told::Text(
            "table_name",
            found.iter().map(|(name, _)| Some(name.clone())).collect(),
        ),
        Told::Text("table_type", kinds.collect()),
        all("is_insertable_into", "NO", rows),
        all("is_typed", "NO", rows),
        none("view_definition", rows),
    ])
}

async fn columns(catalogs: &Arc<dyn CatalogProviderList>) -> Result<Vec<Told>, DataFusionError> {
    let mut rows: Vec<(String, i32, Arc<Field>)> = Vec::new();
    for (name, table) in each(catalogs).await? {
        let fields = table.schema();
        rows.extend(
            (1..)
                .zip(fields.fields())
                .map(|(at, field)| (name.clone(), at, Arc::clone(field))),
        );
    }
    let types: Vec<Type> = rows
        .iter()
        .map(|(.., field)| arrow_pg::datatypes::field_into_pg_type(field).unwrap_or(Type::TEXT))
        .collect();
    let text = |of: &dyn Fn(&Type) -> Option<String>| types.iter().map(of).collect::<Vec<_>>();
    let number = |of: &dyn Fn(&Type) -> Option<i32>| types.iter().map(of).collect::<Vec<_>>();
    let bits = |of: &Type| match *of {
        Type::INT2 => Some(16),
        Type::INT4 | Type::FLOAT4 => Some(32),
        Type::INT8 | Type::FLOAT8 => Some(64),
        _ => None,
    };
    let is_time = |of: &Type| [Type::TIMESTAMP, Type::TIMESTAMPTZ, Type::TIME].contains(of);
    let count = rows.len();
    let nullable = |field: &Field| if field.is_nullable() { "YES" } else { "NO" };
    Ok(vec![
        all("table_catalog", CATALOG, count),
        all("table_schema", outflow_query::SCHEMA, count),
        Told::Text(
            "table_name",
            rows.iter().map(|(name, ..)| Some(name.clone())).collect(),
        ),
        Told::Text(
            "column_name",
            rows.iter()
                .map(|(.., field)| Some(field.name().clone()))
                .collect(),
        ),
        Told::Number(
            "ordinal_position",
            rows.iter().map(|(_, at, _)| Some(*at)).collect(),
        ),
        none("column_default", count),
        Told::Text(
            "is_nullable",
            rows.iter()
                .map(|(.., field)| Some(nullable(field).to_owned()))
                .collect(),
        ),
        Told::Text("data_type", text(&|of| Some(data_type(of)))),
        Told::Number("character_maximum_length", vec![None; count]),
        Told::Number("character_octet_length", vec![None; count]),
        Told::Number("numeric_precision", number(&bits)),
        Told::Number("numeric_precision_radix", number(&|of| bits(of).map(|_| 2))),
        Told::Number("numeric_scale", number(&|of| bits(of).map(|_| 0))),
        Told::Number("datetime_precision", number(&|of| is_time(of).then_some(6))),
        none("interval_type", count),
        none("collation_name", count),
        none("domain_name", count),
        all("udt_catalog", CATALOG, count),
        all("udt_schema", "pg_catalog", count),
        Told::Text("udt_name", text(&|of| Some(of.name().to_owned()))),
        all("is_identity", "NO", count),
        all("is_generated", "NEVER", count),
        all("is_updatable", "NO", count),
    ])
}

/// The name that the standard has for a type.
fn data_type(of: &Type) -> String {
    let name = match *of {
        Type::BOOL => "boolean",
        Type::INT2 => "smallint",
        Type::INT4 => "integer",
        Type::INT8 => "bigint",
        Type::FLOAT4 => "real",
        Type::FLOAT8 => "double precision",
        Type::TIMESTAMP => "timestamp without time zone",
        Type::TIMESTAMPTZ => "timestamp with time zone",
        Type::TIME => "time without time zone",
        Type::CHAR => "\"char\"",
        _ if of.name().starts_with('_') => "ARRAY",
        _ => of.name(),
    };
    name.to_owned()
}
