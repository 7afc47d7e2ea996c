"""The numbers of `adam_in_kerass_form_follows_its_definition` in crates/tau-rnn/src/optim.rs.

Adam as `keras.optimizers.Adam` computes it (Keras 3, `update_step`, with the rate of
`InverseTimeDecay`), on gradients that are exact in binary. Plain Python: floats are IEEE doubles.

    python3 adam_keras.py
"""

import math

RATE, BETA_1, BETA_2, EPSILON, DECAY = 0.05, 0.9, 0.99, 1e-3, 0.02

theta, m, v = [0.0] * 4, [0.0] * 4, [0.0] * 4
for iteration in range(40):
    gradient = [((7 * i + 3 * iteration) % 11 - 5) / 4 for i in range(4)]
    rate = RATE / (1 + DECAY * iteration)
    step = iteration + 1
    alpha = rate * math.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    for i, g in enumerate(gradient):
        m[i] += (g - m[i]) * (1 - BETA_1)
        v[i] += (g * g - v[i]) * (1 - BETA_2)
        theta[i] -= m[i] * alpha / (math.sqrt(v[i]) + EPSILON)
    if step in (1, 2, 40):
        print(step, ", ".join(f"{x:.15f}" for x in theta))
