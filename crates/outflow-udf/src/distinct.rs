//! Counts of different values that can be added up: over days, over lakes.

use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray as _;
use arrow_schema::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature};
use outflow_sketch::Distinct;

use crate::about::{About, Argument, Described, Kind};

const VALUE: Argument = Argument {
    name: "value",
    kind: Kind::Any,
    tells: "what is counted, as its text; nulls are not",
};

static COUNT: About = About {
    name: "distinct_hll",
    arguments: &[VALUE],
    optional: &[],
    returns: Kind::Long,
    tells: "How many different values there are: exactly while they are few, then by HyperLogLog++ within some percent, in a \
            kilobyte a group however many there are.",
    fails: "",
    example: "SELECT distinct_hll(value) FROM (VALUES ('a'), ('b'), ('a')) AS t(value)",
    answer: "2",
};

static SKETCH: About = About {
    name: "distinct_hll_sketch",
    arguments: &[VALUE],
    optional: &[],
    returns: Kind::Bytes,
    tells: "The count as bytes, to be kept and added up by `distinct_hll_merge`. The same values give the same bytes.",
    fails: "",
    example: "SELECT distinct_hll_merge(s) FROM (SELECT distinct_hll_sketch(column1) AS s FROM (VALUES (1), (2)) AS t)",
    answer: "2",
};

static MERGE: About = About {
    name: "distinct_hll_merge",
    arguments: &[Argument {
        name: "sketch",
        kind: Kind::Bytes,
        tells: "what `distinct_hll_sketch` gave",
    }],
    optional: &[],
    returns: Kind::Long,
    tells: "How many different values there are in all that these counts have counted together.",
    fails: "on bytes that are no such count",
    example: "SELECT distinct_hll_merge(s) FROM (SELECT column1 % 2, distinct_hll_sketch(column1) AS s FROM (VALUES (1), (2), \
              (3)) AS t GROUP BY 1)",
    answer: "3",
};

pub(crate) fn all() -> Vec<(&'static About, Counting)> {
    [&COUNT, &SKETCH, &MERGE]
        .map(|about| (about, Counting(Described::new(about))))
        .into()
}

/// One of the aggregates above.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Counting(Described);

impl AggregateUDFImpl for Counting {
    fn name(&self) -> &str {
        self.0.about.name
    }

    fn signature(&self) -> &Signature {
        &self.0.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.0.about.returns.arrow())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Count {
            about: self.0.about,
            seen: Distinct::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format!("{}[sketch]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, false))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.0.documentation)
    }
}

struct Count {
    about: &'static About,
    seen: Distinct,
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Count").field(&self.seen.count()).finish()
    }
}

impl Count {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.seen.encode(&mut bytes);
        bytes
    }

    fn add_sketches(&mut self, sketches: &ArrayRef) -> Result<()> {
        match sketches.as_binary_view_opt() {
            Some(views) => views
                .iter()
                .flatten()
                .try_for_each(|of| self.add_sketch(of)),
            None => {
                let sketches = arrow_cast::cast(sketches, &DataType::Binary)?;
                let mut sketches = sketches.as_binary::<i32>().iter().flatten();
                sketches.try_for_each(|of| self.add_sketch(of))
            }
        }
    }

    fn add_sketch(&mut self, sketch: &[u8]) -> Result<()> {
        let (other, size) = Distinct::decode(sketch)
            .map_err(|error| exec_datafusion_err!("no sketch of `distinct_hll_sketch`: {error}"))?;
        if size != sketch.len() {
            return Err(exec_datafusion_err!(
                "no sketch of `distinct_hll_sketch`: {} bytes follow it",
                sketch.len() - size
            ));
        }
        self.seen.merge(&other);
        Ok(())
    }
}

impl Accumulator for Count {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values] = values else {
            return Err(exec_datafusion_err!(
                "`{}` has one argument",
                self.about.name
            ));
        };
        if self.about == &MERGE {
            return self.add_sketches(values);
        }
        let texts = arrow_cast::cast(values, &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        let mut last: Option<&str> = None;
        for text in texts.iter().flatten() {
            // Rows that stand by each other share many values.
            if last != Some(text) {
                self.seen.insert(text.as_bytes());
                last = Some(text);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.about == &SKETCH {
            return Ok(ScalarValue::Binary(Some(self.bytes())));
        }
        let count = i64::try_from(self.seen.count()).unwrap_or(i64::MAX);
        Ok(ScalarValue::Int64(Some(count)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.seen.heap_bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.bytes()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        states.iter().try_for_each(|state| self.add_sketches(state))
    }
}
