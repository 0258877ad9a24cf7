import {
  anneal,
  constant,
  cosineAnnealing,
  cosineRestarts,
  inverseSqrt,
  oneCycle,
  sequential,
  wsd,
  type AnnealShape,
  type Schedule,
} from "@qkv/tensor/optimizers";
import type { DataFolder } from "../../data-folder.mjs";
import { Skip, type Source } from "../case.js";
import { compareNumbers } from "../check.js";
import { readCases } from "../data-files.js";
import { tolerance } from "../tolerance.js";

const file = "torch-more/schedules.json";

/** A case's attributes: those of its schedule are present. */
type Attributes = Readonly<
  Record<
    | "base_lr"
    | "steps"
    | "num_warmup_steps"
    | "num_training_steps"
    | "num_decay_steps"
    | "min_lr_rate"
    | "min_lr_ratio"
    | "lr_end"
    | "power"
    | "max_lr"
    | "total_steps"
    | "T_max"
    | "T_0"
    | "T_mult"
    | "eta_min"
    | "step_size"
    | "gamma"
    | "start_factor"
    | "end_factor"
    | "total_iters"
    | "factor"
    | "step_size_up",
    number
  >
> & {
  readonly milestones: readonly number[];
  readonly mode: string;
  readonly num_cycles?: number;
  readonly num_stable_steps?: number;
  readonly pct_start?: number;
  readonly div_factor?: number;
  readonly final_div_factor?: number;
  readonly anneal_strategy?: "linear";
  readonly three_phase?: boolean;
  readonly warmup_type?: "linear" | "cosine";
  readonly decay_type?: "linear" | "cosine" | "1-sqrt";
};

/** `torch-more/schedules.json`: the learning rate of each step. */
export function schedules(data: DataFolder, family: string): Source {
  const cases = readCases(data, file, ({ name, value }) => {
    const { op, attributes, learning_rates } = value as {
      op: string;
      attributes: Attributes;
      learning_rates: number[];
    };
    const values = learning_rates;
    return {
      name,
      run(target) {
        const make = Object.hasOwn(makers, op) ? makers[op] : undefined;
        if (!make) throw new Error(`${op} is not known`);
        const rate = make(attributes);
        const ours = { shape: [values.length], values: values.map((_, step) => rate(step)) };
        const limit = tolerance("forward float64", target.class);
        return [compareNumbers("learning_rates", ours, { shape: [values.length], values }, limit)];
      },
    };
  });
  return { family, file, cases };
}

/** Linear warmup from 0 to the base rate, then another schedule. */
const warmed = ({ base_lr, num_warmup_steps }: Attributes, after: Schedule): Schedule =>
  sequential([[anneal({ from: 0, to: base_lr, steps: num_warmup_steps }), num_warmup_steps]], after);

const down = (given: Attributes, to: number, shape: AnnealShape): Schedule =>
  warmed(
    given,
    anneal({ from: given.base_lr, to, steps: given.num_training_steps - given.num_warmup_steps, shape }),
  );

/** `num_cycles` periods of the cosine until the last step of training, and on after it. */
const wholeCosine = (given: Attributes, floor: number): Schedule => {
  const { base_lr: peak, num_warmup_steps, num_training_steps, num_cycles = 0.5 } = given;
  return cosineAnnealing({ peak, floor, steps: (num_training_steps - num_warmup_steps) / (2 * num_cycles) });
};

const makers: Record<string, (given: Attributes) => Schedule> = {
  get_constant_schedule_with_warmup: (given) => warmed(given, constant(given.base_lr)),
  get_linear_schedule_with_warmup: (given) => down(given, 0, "linear"),
  get_cosine_schedule_with_warmup: (given) => warmed(given, wholeCosine(given, 0)),
  get_cosine_with_hard_restarts_schedule_with_warmup(given) {
    const { base_lr: peak, num_warmup_steps, num_training_steps, num_cycles = 1 } = given;
    const total = num_training_steps - num_warmup_steps;
    return warmed(
      given,
      sequential([[cosineRestarts({ peak, steps: total / num_cycles }), total]], constant(0)),
    );
  },
  get_cosine_with_min_lr_schedule_with_warmup: (given) =>
    warmed(given, wholeCosine(given, given.base_lr * given.min_lr_rate)),
  get_polynomial_decay_schedule_with_warmup: (given) => down(given, given.lr_end, given.power),
  get_inverse_sqrt_schedule: ({ base_lr, num_warmup_steps }) =>
    inverseSqrt({ peak: base_lr, warmupSteps: num_warmup_steps }),
  get_wsd_schedule(given) {
    const { base_lr, num_warmup_steps, num_decay_steps, min_lr_ratio } = given;
    const { warmup_type = "linear", decay_type = "cosine" } = given;
    return wsd({
      peak: base_lr,
      floor: base_lr * min_lr_ratio,
      warmupSteps: num_warmup_steps,
      stableSteps: given.num_stable_steps ?? given.num_training_steps - num_warmup_steps - num_decay_steps,
      decaySteps: num_decay_steps,
      warmup: warmup_type,
      decay: decay_type === "1-sqrt" ? "sqrt" : decay_type,
    });
  },
  OneCycleLR(given) {
    const { max_lr: peak, total_steps: steps, anneal_strategy: shape = "cosine" } = given;
    const { pct_start = 0.3, div_factor = 25, final_div_factor = 1e4 } = given;
    const warmupSteps = pct_start * steps - 1;
    const [start, end] = [peak / div_factor, peak / div_factor / final_div_factor];
    if (!given.three_phase) return oneCycle({ peak, steps, warmupSteps, start, end, shape });
    const course = (from: number, to: number, steps: number) => anneal({ from, to, steps, shape });
    return sequential(
      [
        [course(start, peak, warmupSteps), warmupSteps],
        [course(peak, start, warmupSteps), warmupSteps],
      ],
      course(start, end, steps - 1 - 2 * warmupSteps),
    );
  },
  CosineAnnealingLR: ({ base_lr: peak, T_max: steps, eta_min: floor }) =>
    cosineAnnealing({ peak, floor, steps }),
  CosineAnnealingWarmRestarts: ({ base_lr: peak, T_0: steps, T_mult: factor, eta_min: floor }) =>
    cosineRestarts({ peak, floor, steps, factor }),
  StepLR: ({ base_lr, step_size, gamma, steps }) =>
    stairs(
      base_lr,
      gamma,
      Array.from({ length: Math.ceil(steps / step_size) }, () => step_size),
    ),
  MultiStepLR: ({ base_lr, milestones, gamma }) =>
    stairs(
      base_lr,
      gamma,
      milestones.map((at, i) => at - (milestones[i - 1] ?? 0)),
    ),
  ExponentialLR: ({ base_lr, gamma, steps }) =>
    anneal({ from: base_lr, to: base_lr * gamma ** steps, steps, shape: "exponential" }),
  LinearLR: ({ base_lr, start_factor, end_factor, total_iters }) =>
    anneal({ from: base_lr * start_factor, to: base_lr * end_factor, steps: total_iters }),
  ConstantLR: ({ base_lr, factor, total_iters }) =>
    sequential([[constant(base_lr * factor), total_iters]], constant(base_lr)),
  PolynomialLR: ({ base_lr, total_iters, power }) =>
    anneal({ from: base_lr, to: 0, steps: total_iters, shape: power }),
  CyclicLR({ base_lr, max_lr, step_size_up: half, steps, mode }) {
    if (mode !== "triangular2") throw new Error(`mode is ${mode}, expected triangular2`);
    // Each triangle has half the height of the previous one.
    const sides = Array.from({ length: Math.ceil(steps / half) }, (_, i): [Schedule, number] => {
      const top = base_lr + (max_lr - base_lr) / 2 ** Math.floor(i / 2);
      const [from, to] = i % 2 === 0 ? [base_lr, top] : [top, base_lr];
      return [anneal({ from, to, steps: half }), half];
    });
    return sequential(sides, constant(base_lr));
  },
  ReduceLROnPlateau() {
    throw new Skip("a schedule is a function of the step, not of what was measured");
  },
};

/** A rate that is multiplied by a factor after each number of steps. */
function stairs(rate: number, factor: number, lengths: readonly number[]): Schedule {
  return sequential(
    lengths.map((length, i) => [constant(rate * factor ** i), length]),
    constant(rate * factor ** lengths.length),
  );
}
