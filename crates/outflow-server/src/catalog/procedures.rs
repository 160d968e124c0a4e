//! `pg_proc`: PostgreSQL's functions, to which its types refer, and Outflow's in the schema of its tables.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int32Array, RecordBatch, StringArray,
    new_null_array,
};
use arrow_schema::{DataType, SchemaRef};
use datafusion::catalog::{CatalogProviderList, MemTable, Session, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use outflow_query::CATALOG;
use outflow_udf::{About, Argument, Kind, Known};
use pgwire::api::Type;

/// The table, in the catalogue and in the schema of what is put in the place of its own.
pub(super) const PROCEDURES: &str = "pg_proc";

/// The number of the first function of Outflow's: beyond those of PostgreSQL's own, and below 16,384, from where the catalogue numbers
/// tables.
const FIRST_OID: i32 = 15_000;

/// A function with one of the numbers of arguments that it takes.
pub(super) struct Procedure {
    oid: i32,
    about: &'static About,
    /// How many of the arguments it is given that it may be given.
    optional: usize,
    /// `f`, `a` or `w`: of a row, a group or a partition.
    kind: &'static str,
}

/// All of them, in the order of their numbers.
static OWN: LazyLock<Vec<Procedure>> = LazyLock::new(|| {
    let functions = outflow_udf::functions(Known::default());
    let kind = |name: &str| {
        let is_of_group = functions.aggregate.iter().any(|one| one.name() == name);
        let is_of_partition = functions.window.iter().any(|one| one.name() == name);
        match (is_of_group, is_of_partition) {
            (true, _) => "a",
            (_, true) => "w",
            _ => "f",
        }
    };
    let each = functions.about.iter().flat_map(|about| {
        let kind = kind(about.name);
        (0..=about.optional.len()).map(move |optional| (*about, optional, kind))
    });
    let numbered = (FIRST_OID..).zip(each);
    let all = numbered.map(|(oid, (about, optional, kind))| Procedure {
        oid,
        about,
        optional,
        kind,
    });
    all.collect()
});

impl Procedure {
    /// All of Outflow's.
    pub(super) fn all() -> &'static [Self] {
        &OWN
    }

    pub(super) fn name(&self) -> &'static str {
        self.about.name
    }

    /// Its name, of which there is no second.
    pub(super) fn specific_name(&self) -> String {
        format!("{}_{}", self.about.name, self.oid)
    }

    /// Whether it is one of the values of a row.
    pub(super) fn is_plain(&self) -> bool {
        self.kind == "f"
    }

    /// The one of a number, if it is one of Outflow's.
    pub(super) fn of(oid: i64) -> Option<&'static Self> {
        let at = oid.checked_sub(FIRST_OID.into())?;
        OWN.get(usize::try_from(at).ok()?)
    }

    fn arguments(&self) -> impl Iterator<Item = &'static Argument> {
        let optional = &self.about.optional[..self.optional];
        self.about.arguments.iter().chain(optional)
    }

    /// Its arguments, as `cidr text, addr text`.
    pub(super) fn arguments_told(&self) -> String {
        let told = |argument: &Argument| format!("{} {}", argument.name, told(argument.kind));
        self.arguments().map(told).collect::<Vec<_>>().join(", ")
    }

    /// The type of what it returns.
    pub(super) fn result_told(&self) -> String {
        told(self.about.returns).to_owned()
    }

    /// What it tells.
    pub(super) fn description(&self) -> String {
        self.about.tells.to_owned()
    }
}

fn of_type(kind: Kind) -> Type {
    match kind {
        Kind::Text => Type::TEXT,
        Kind::Long => Type::INT8,
        Kind::Double => Type::FLOAT8,
        Kind::Flag => Type::BOOL,
        Kind::Time => Type::TIMESTAMPTZ,
        Kind::Span => Type::INTERVAL,
        Kind::Bytes => Type::BYTEA,
        Kind::Any => Type::ANY,
    }
}

/// A type as PostgreSQL writes it.
fn told(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Long => "bigint",
        Kind::Double => "double precision",
        Kind::Flag => "boolean",
        Kind::Time => "timestamp with time zone",
        Kind::Span => "interval",
        Kind::Bytes => "bytea",
        Kind::Any => "\"any\"",
    }
}

fn number(of: &Type) -> i32 {
    // Those of PostgreSQL's own types are small.
    i32::try_from(of.oid()).unwrap_or_default()
}

/// The table.
#[derive(Debug)]
pub(super) struct Procedures {
    theirs: Arc<dyn TableProvider>,
    namespaces: Arc<dyn TableProvider>,
}

impl Procedures {
    pub(super) async fn of(
        catalogs: &Arc<dyn CatalogProviderList>,
    ) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let lacking = |name: &str| DataFusionError::Internal(format!("there is no `{name}`"));
        let catalog = catalogs.catalog(CATALOG);
        let schema = catalog.and_then(|catalog| catalog.schema("pg_catalog"));
        let schema = schema.ok_or_else(|| lacking("pg_catalog"))?;
        let theirs = schema.table(PROCEDURES).await?;
        let namespaces = schema.table("pg_namespace").await?;
        Ok(Arc::new(Self {
            theirs: theirs.ok_or_else(|| lacking(PROCEDURES))?,
            namespaces: namespaces.ok_or_else(|| lacking("pg_namespace"))?,
        }))
    }

    /// The number that the catalogue gave the schema of the tables.
    async fn namespace(&self, state: &dyn Session) -> Result<i32, DataFusionError> {
        let plan = self.namespaces.scan(state, None, &[], None).await?;
        let batches = collect(plan, state.task_ctx()).await?;
        let lacking = || DataFusionError::Internal("the catalogue lacks a schema".to_owned());
        for batch in &batches {
            let of = |name: &str| batch.column_by_name(name).ok_or_else(lacking);
            let numbers = of("oid")?.as_primitive_opt::<Int32Type>();
            let names = of("nspname")?.as_string_opt::<i32>();
            let (numbers, names) = numbers.zip(names).ok_or_else(lacking)?;
            let mut rows = numbers.iter().zip(names);
            if let Some((Some(number), _)) =
                rows.find(|(_, name)| *name == Some(outflow_query::SCHEMA))
            {
                return Ok(number);
            }
        }
        Err(lacking())
    }

    async fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let schema = self.theirs.schema();
        let own = own(&schema, self.namespace(state).await?)?;
        let own = MemTable::try_new(schema, vec![vec![own]])?;
        UnionExec::try_new(vec![
            self.theirs.scan(state, projection, &[], None).await?,
            own.scan(state, projection, &[], None).await?,
        ])
    }
}

impl TableProvider for Procedures {
    fn schema(&self) -> SchemaRef {
        self.theirs.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What the trait's macro writes, by hand: macros over types of the engine take seconds to compile.
    fn scan<'s, 'state, 'projection, 'filters, 'all>(
        &'s self,
        state: &'state dyn Session,
        projection: Option<&'projection Vec<usize>>,
        _filters: &'filters [Expr],
        _limit: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>, DataFusionError>> + Send + 'all>>
    where
        's: 'all,
        'state: 'all,
        'projection: 'all,
        'filters: 'all,
        Self: 'all,
    {
        Box::pin(self.plan(state, projection))
    }
}

/// Outflow's functions as rows of the table, whose schema of functions has this number.
fn own(schema: &SchemaRef, namespace: i32) -> Result<RecordBatch, DataFusionError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| column(field.name(), field.data_type(), namespace));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// One column of those rows. Who owns them, and in which language they are, is as with PostgreSQL's own.
fn column(name: &str, of: &DataType, namespace: i32) -> Result<ArrayRef, DataFusionError> {
    const OWNER: i32 = 10;
    const INTERNAL: i32 = 12;
    let rows = OWN.len();
    let texts = |text: &dyn Fn(&Procedure) -> String| -> ArrayRef {
        Arc::new(
            OWN.iter()
                .map(|one| Some(text(one)))
                .collect::<StringArray>(),
        )
    };
    let numbers = |number: &dyn Fn(&Procedure) -> i32| -> ArrayRef {
        Arc::new(
            OWN.iter()
                .map(|one| Some(number(one)))
                .collect::<Int32Array>(),
        )
    };
    let flags = |flag: bool| -> ArrayRef { Arc::new(BooleanArray::from(vec![flag; rows])) };
    let words = |one: &Procedure, word: &dyn Fn(&Argument) -> String, between: &str| {
        one.arguments().map(word).collect::<Vec<_>>().join(between)
    };
    Ok(match name {
        "oid" => numbers(&|one| one.oid),
        "proname" | "prosrc" => texts(&|one| one.about.name.to_owned()),
        "pronamespace" => numbers(&|_| namespace),
        "proowner" => numbers(&|_| OWNER),
        "prolang" => numbers(&|_| INTERNAL),
        "procost" => Arc::new(Float32Array::from(vec![1.0; rows])),
        "prorows" => Arc::new(Float32Array::from(vec![0.0; rows])),
        "provariadic" => numbers(&|_| 0),
        "prosupport" => texts(&|_| "-".to_owned()),
        "prokind" => texts(&|one| one.kind.to_owned()),
        "prosecdef" | "proleakproof" | "proisstrict" | "proretset" => flags(false),
        "provolatile" => texts(&|_| "i".to_owned()),
        "proparallel" => texts(&|_| "s".to_owned()),
        "pronargs" => {
            let counts = OWN
                .iter()
                .map(|one| i16::try_from(one.arguments().count()).ok());
            Arc::new(counts.collect::<Int16Array>())
        }
        "pronargdefaults" => Arc::new(Int16Array::from(vec![0; rows])),
        "prorettype" => numbers(&|one| number(&of_type(one.about.returns))),
        "proargtypes" => texts(&|one| {
            words(
                one,
                &|argument| number(&of_type(argument.kind)).to_string(),
                " ",
            )
        }),
        "proargnames" => texts(&|one| {
            format!(
                "{{{}}}",
                words(one, &|argument| argument.name.to_owned(), ",")
            )
        }),
        _ => new_null_array(of, rows),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_arguments_is_a_function_of_its_own() {
        let named = |name: &str| {
            OWN.iter()
                .filter(|one| one.about.name == name)
                .collect::<Vec<_>>()
        };
        let [only] = named("cidr_contains")[..] else {
            panic!("cidr_contains is there once");
        };
        assert_eq!(only.arguments_told(), "cidr text, addr text");
        assert_eq!((only.result_told().as_str(), only.kind), ("boolean", "f"));
        let optional = OWN
            .iter()
            .find(|one| !one.about.optional.is_empty())
            .unwrap();
        let all = named(optional.about.name);
        assert_eq!(all.len(), optional.about.optional.len() + 1);
        assert_eq!(all[0].arguments().count() + 1, all[1].arguments().count());
        assert_eq!(named("distinct_hll")[0].kind, "a");
        assert_eq!(named("sessionize")[0].kind, "w");
    }

    #[test]
    fn a_number_finds_its_function_and_no_other() {
        for one in OWN.iter() {
            let found = Procedure::of(one.oid.into()).unwrap();
            assert_eq!((found.about, found.optional), (one.about, one.optional));
        }
        assert!(Procedure::of(i64::from(FIRST_OID) - 1).is_none());
        assert!(Procedure::of(16_384).is_none());
        assert!(Procedure::of(-1).is_none());
        assert!(FIRST_OID as usize + OWN.len() < 16_384);
    }
}
