//! A network on a device as a [`Backend`].

use ndarray::{Array2, Array3, ArrayView3, s};
use tau_random::DrawnBits;

use crate::batch::{check_drawn, prepare_simulation};
use crate::params::flat_mut;
use crate::{
    Backend, Batch, Config, Error, Gradients, Initial, Losses, Momentum, Optimiser, Params,
    Readout, Real, Scores,
};

use super::Cuda;
use super::arguments::State;
use super::device::Device;
use super::shown::Shown;

impl<R: Real, D: Device> Backend<R> for Cuda<R, D> {
    fn config(&self) -> &Config {
        &self.config
    }

    fn params(&self) -> Result<Params<R>, Error> {
        let flat = self.params.to_vec(&self.device)?;
        let mut params = self.host.clone();
        let mut begin = 0;
        for (_, values) in params.tensors_mut() {
            values.copy_from_slice(&flat[begin..][..values.len()]);
            begin += values.len();
        }
        Ok(params)
    }

    fn update(&mut self, batch: &Batch<'_, R>, optimiser: &Optimiser) -> Result<(), Error> {
        optimiser.check()?;
        batch.check(&self.config, &self.host)?;
        self.train(&Shown::batch(batch), optimiser)
    }

    fn update_drawn(
        &mut self,
        drawn: &DrawnBits<'_>,
        initial: Initial<'_, R>,
        optimiser: &Optimiser,
    ) -> Result<Option<()>, Error> {
        optimiser.check()?;
        check_drawn(drawn, &initial, &self.config, &self.host)?;
        self.train(&Shown::drawn(drawn, initial), optimiser).map(Some)
    }

    fn evaluate_drawn(
        &mut self,
        drawn: &DrawnBits<'_>,
        initial: Initial<'_, R>,
    ) -> Result<Option<Scores>, Error> {
        check_drawn(drawn, &initial, &self.config, &self.host)?;
        self.look(&Shown::drawn(drawn, initial)).map(Some)
    }

    fn losses(&mut self) -> Result<Losses, Error> {
        let State { loss: sum, losses: count, .. } = self.settle()?;
        Ok(Losses { sum, count })
    }

    fn set_losses(&mut self, Losses { sum, count }: Losses) -> Result<(), Error> {
        let state = self.settle()?;
        self.state.put(&self.device, &[State { loss: sum, losses: count, ..state }]).map(drop)
    }

    fn gradients(&mut self, batch: &Batch<'_, R>) -> Result<(Scores, Gradients<R>), Error> {
        batch.check(&self.config, &self.host)?;
        self.settle()?;
        let shown = Shown::batch(batch);
        self.pass(&shown)?;
        let scores = self.scores(&shown)?;
        let flat = self.gradient.to_vec(&self.device)?;
        let mut gradients = Gradients::zeros(&self.host);
        gradients.restart(self.trained(batch.target.heads()), &self.host);
        let mut begin = 0;
        let has: Vec<bool> =
            gradients.values.tensors().map(|(tensor, _)| gradients.has(tensor)).collect();
        for ((_, values), has) in gradients.values.tensors_mut().zip(has) {
            if has {
                values.copy_from_slice(&flat[begin..][..values.len()]);
            }
            begin += values.len();
        }
        Ok((scores, gradients))
    }

    fn evaluate(&mut self, batch: &Batch<'_, R>) -> Result<Scores, Error> {
        batch.check(&self.config, &self.host)?;
        self.look(&Shown::batch(batch))
    }

    fn advance(
        &mut self,
        state: &mut Array2<R>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut Array3<R>,
    ) -> Result<(), Error> {
        let [steps, trials] = prepare_simulation(&self.config, state, inputs, activity)?;
        if steps == 0 || trials == 0 {
            return Ok(());
        }
        self.settle()?;
        self.simulate(state, inputs, flat_mut(activity))?;
        if let Some(last) = activity.outer_iter().next_back() {
            // `simulate` has written c, which stands behind h.
            state.slice_mut(s![.., ..last.ncols()]).assign(&last);
        }
        Ok(())
    }

    fn set_steps_per_unit(&mut self, steps_per_unit: u32) -> Result<(), Error> {
        // Every pass packs the leak anew, so nothing else has to change.
        self.config = self.config.with_steps_per_unit(steps_per_unit)?;
        Ok(())
    }

    fn add_head(&mut self, readout: Readout<R>) -> Result<usize, Error> {
        self.settle()?;
        self.change_heads(|params, _| {
            params.readouts.push(readout);
            Ok(())
        })?;
        Ok(self.host.readouts.len() - 1)
    }

    fn drop_head(&mut self, head: usize) -> Result<(), Error> {
        self.host.check_head(head)?;
        self.settle()?;
        self.change_heads(|params, momentum| {
            params.readouts.remove(head);
            momentum.drop_head(head);
            Ok(())
        })
    }

    fn freeze_head(&mut self, head: usize, frozen: bool) -> Result<(), Error> {
        self.host.check_head(head)?;
        self.host.readouts[head].frozen = frozen;
        Ok(())
    }

    fn freeze_cell(&mut self, frozen: bool) {
        self.cell_frozen = frozen;
    }

    fn momentum(&self) -> Result<Momentum<R>, Error> {
        self.read_momentum()
    }

    fn set_momentum(&mut self, momentum: Momentum<R>) -> Result<(), Error> {
        momentum.check(&self.host)?;
        self.settle()?;
        self.put_momentum(&momentum)
    }
}
