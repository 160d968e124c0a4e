//! A function of the values of a row, as the engine calls it.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::interval_arithmetic::Interval;
use datafusion_expr::preimage::PreimageResult;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::about::{About, Described};

/// Works out a column from columns of as many rows.
pub(crate) type Work = Box<dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync>;

/// A function, and how it is worked out.
pub(crate) struct Scalar {
    described: Described,
    work: Work,
    turned: Option<Turned>,
}

/// The span of the argument's values for which the function has a value: so that what is asked of the function chooses
/// files by the argument.
pub(crate) type Turned = fn(&ScalarValue) -> Option<Interval>;

impl Scalar {
    pub(crate) fn new(
        about: &'static About,
        work: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            described: Described::new(about),
            work: Box::new(work),
            turned: None,
        }
    }

    /// The function, of whose one argument this tells the values by its own.
    pub(crate) fn turned_by(mut self, turned: Turned) -> Self {
        self.turned = Some(turned);
        self
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scalar").field(&self.described).finish()
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.described == other.described
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.described.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.described.about.name
    }

    fn signature(&self) -> &Signature {
        &self.described.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.described.about.returns.arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Scalar(_));
        // What is the same for all rows is worked out once.
        let rows = match args.args.iter().all(constant) {
            true => 1,
            false => args.number_rows,
        };
        let columns = args.args.iter().map(|arg| arg.to_array(rows));
        let worked = (self.work)(&columns.collect::<Result<Vec<_>>>()?)?;
        if args.args.iter().all(constant) && !args.args.is_empty() && worked.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &worked, 0,
            )?));
        }
        Ok(ColumnarValue::Array(worked))
    }

    fn preimage(&self, args: &[Expr], value: &Expr, _: &SimplifyContext) -> Result<PreimageResult> {
        let span = self.turned.zip(value.as_literal());
        let span = span.and_then(|(turned, value)| turned(value));
        Ok(match (span, args) {
            (Some(span), [argument]) => PreimageResult::Range {
                expr: argument.clone(),
                interval: Box::new(span),
            },
            _ => PreimageResult::None,
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.described.documentation)
    }
}
