//! The conclusions do not depend on where the nonlinearity stands, nor on the step of time: those of
//! claims 1 and 3 hold as in the main results with the nonlinearity around the input only, and with
//! smaller steps.

use tau_reproduce::{Claim, Need, Networks, Part};

use crate::measurements::Tau;
use crate::progress::further;
use crate::selectors::{
    MULTI, MULTI_CONTINUOUS, MULTI_DRIVE, SINGLE, SINGLE_CONTINUOUS, SINGLE_DRIVE,
};
use crate::slopes::{fall, rise};

pub(super) const CLAIM: Claim = Claim {
    id: "12",
    title: "the conclusions depend neither on the nonlinearity's place nor on the time step",
    figure: "variants",
    networks: &[SINGLE, MULTI, SINGLE_DRIVE, MULTI_DRIVE, SINGLE_CONTINUOUS, MULTI_CONTINUOUS],
    needs: &[Need::of::<Tau>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    for [single, multi] in
        [[&SINGLE, &MULTI], [&SINGLE_DRIVE, &MULTI_DRIVE], [&SINGLE_CONTINUOUS, &MULTI_CONTINUOUS]]
    {
        parts.push(further(networks, [multi, single]));
        parts.push(fall(networks, multi, multi.name()));
        parts.push(rise(networks, single));
    }
    parts
}
