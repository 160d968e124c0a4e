//! A function of the values of a row, as the engine calls it.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use crate::about::About;

/// Works out a column from columns of as many rows.
pub(crate) type Work = Box<dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync>;

/// A function, and how it is worked out.
pub(crate) struct Scalar {
    about: &'static About,
    signature: Signature,
    documentation: Documentation,
    work: Work,
}

impl Scalar {
    pub(crate) fn new(
        about: &'static About,
        work: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            about,
            signature: about.signature(),
            documentation: about.documentation(),
            work: Box::new(work),
        }
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scalar").field(&self.about.name).finish()
    }
}

// A session has one function of a name.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.about == other.about
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.about.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.about.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.about.returns.arrow())
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

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
