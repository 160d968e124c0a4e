//! Sums of whole numbers that say so when they go beyond 64 bits.
//!
//! The engine's own `sum` begins anew behind the greatest number. A record may say whatever its writer likes, and two of them are
//! enough: what was sent most would then be told as less than nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, ArrayRef, BooleanArray};
use arrow_schema::{ArrowError, DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, Expr, GroupsAccumulator, Operator,
    ReversedUDAF, SetMonotonicity, Signature, StatisticsArgs,
};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::prim_op::PrimitiveGroupsAccumulator;

type Result<T> = std::result::Result<T, DataFusionError>;

/// `sum`, of the engine but for whole numbers.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct CheckedSum {
    of_engine: Sum,
}

fn beyond() -> DataFusionError {
    let what = "a sum of whole numbers is beyond 64 bits: sum them as decimals, as in \
                sum(arrow_cast(bytes, 'Decimal128(38, 0)'))";
    ArrowError::ArithmeticOverflow(what.to_owned()).into()
}

fn is_whole(args: &AccumulatorArgs<'_>) -> bool {
    !args.is_distinct && args.return_field.data_type() == &DataType::Int64
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        self.of_engine.name()
    }

    fn signature(&self) -> &Signature {
        self.of_engine.signature()
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        self.of_engine.return_type(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match is_whole(&args) {
            true => Ok(Box::new(Total(None))),
            false => self.of_engine.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.of_engine.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.of_engine.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        if !is_whole(&args) {
            return self.of_engine.create_groups_accumulator(args);
        }
        let is_beyond = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&is_beyond);
        let add = move |sum: &mut i64, more: i64| match sum.checked_add(more) {
            Some(more) => *sum = more,
            None => noted.store(true, Ordering::Relaxed),
        };
        let sums = PrimitiveGroupsAccumulator::<Int64Type, _>::new(&DataType::Int64, add);
        Ok(Box::new(Totals { sums, is_beyond }))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        // It takes rows out again: what is beyond in between may not be so in the end.
        self.of_engine.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.of_engine.reverse_expr()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.of_engine.order_sensitivity()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.of_engine.documentation()
    }

    fn set_monotonicity(&self, of: &DataType) -> SetMonotonicity {
        self.of_engine.set_monotonicity(of)
    }

    fn simplify_expr_op_literal(
        &self,
        function: &AggregateFunction,
        arg: &Expr,
        operator: Operator,
        literal: &Expr,
        arg_is_left: bool,
    ) -> Result<Option<Expr>> {
        self.of_engine
            .simplify_expr_op_literal(function, arg, operator, literal, arg_is_left)
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.of_engine.value_from_stats(args)
    }
}

/// One sum; none of no rows.
#[derive(Debug)]
struct Total(Option<i64>);

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values
            .first()
            .and_then(|of| of.as_primitive_opt::<Int64Type>());
        let values = values.ok_or_else(|| {
            DataFusionError::Internal("a sum of whole numbers is given others".to_owned())
        })?;
        if values.null_count() == values.len() {
            return Ok(());
        }
        // Of a batch, the sum has room for all that 64 bits may be.
        let more: i128 = match values.null_count() {
            0 => values.values().iter().map(|value| i128::from(*value)).sum(),
            _ => values.iter().flatten().map(i128::from).sum(),
        };
        let sum = i128::from(self.0.unwrap_or_default()) + more;
        self.0 = Some(i64::try_from(sum).map_err(|_| beyond())?);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(self.0))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// Sums of groups.
struct Totals<S> {
    sums: S,
    /// Whether one of them is.
    is_beyond: Arc<AtomicBool>,
}

impl<S> Totals<S> {
    fn checked<T>(&self, done: T) -> Result<T> {
        match self.is_beyond.load(Ordering::Relaxed) {
            true => Err(beyond()),
            false => Ok(done),
        }
    }
}

impl<S: GroupsAccumulator> GroupsAccumulator for Totals<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.sums.update_batch(values, groups, filter, count)?;
        self.checked(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.sums.evaluate(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.sums.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.sums.merge_batch(values, groups, count)?;
        self.checked(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.sums.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.sums.size()
    }
}
