import type { Control, FigureChoices } from "./figure.js";

type Value = string | number | boolean;

/** The controls of a figure on the page. */
export type ControlsView<Choices extends FigureChoices> = {
  element: HTMLElement;
  /** Shows controls and choices. A control that remains keeps the focus. */
  show(controls: readonly Control<Choices>[], choices: Choices): void;
};

/** Builds the controls of a figure. `choose` is called with each change, `press` with the cell of a pressed button. */
export function controlsView<Choices extends FigureChoices>(
  choose: (choices: Partial<Choices>) => void,
  press: (cell: string) => void,
): ControlsView<Choices> {
  const element = div("controls");
  let built = "";
  let updates: ((choices: Choices) => void)[] = [];
  return {
    element,
    show(all, choices) {
      const controls = all.filter((control) => control.kind !== "press" || control.buttons);
      const wanted = JSON.stringify(controls);
      if (wanted !== built) {
        built = wanted;
        const builtControls = controls.map((control) =>
          control.kind === "press" ? pressButtons(control, press) : build(control, choose),
        );
        const focusedControl = element.contains(document.activeElement)
          ? document.activeElement?.closest<HTMLElement>("[data-control]")?.dataset["control"]
          : undefined;
        element.replaceChildren(...builtControls.map((each) => each.element));
        updates = builtControls.map(({ show }) => show);
        if (focusedControl)
          element
            .querySelector<HTMLElement>(`[data-control="${focusedControl}"] :is(button,select,input)`)
            ?.focus();
      }
      updates.forEach((show) => show(choices));
    },
  };
}

/** Buttons that press cells. */
function pressButtons<Choices extends FigureChoices>(
  { key, label, buttons: list = [] }: Extract<Control<Choices>, { kind: "press" }>,
  press: (cell: string) => void,
): Built<Choices> {
  const { element, options } = buttonGroup(
    label,
    list.map(({ cell, ...button }) => ({ ...button, onClick: () => press(cell) })),
  );
  element.dataset["control"] = key;
  options.classList.add("qkv-figure-actions");
  return { element, show: () => undefined };
}

type Built<Choices> = { element: HTMLElement; show: (choices: Choices) => void };

/** A control that is drawn. */
type Drawn<Choices extends FigureChoices> = Exclude<Control<Choices>, { kind: "press" }>;

function build<Choices extends FigureChoices>(
  control: Drawn<Choices>,
  choose: (choices: Partial<Choices>) => void,
): Built<Choices> {
  const { key, label } = control;
  const chosen = (value: Value) => ({ [key]: value }) as Partial<Choices>;
  if (control.kind === "choice") {
    const options = control.options.map(({ value, ...option }) => ({ ...option, choices: chosen(value) }));
    const built = buttons(label, options, choose);
    built.element.dataset["control"] = key;
    return built;
  }
  const { element, show } = field(control as Drawn<FigureChoices>, (value) => choose(chosen(value)));
  if (control.kind !== "text" || !control.examples) {
    element.dataset["control"] = key;
    return { element, show: (choices) => show(choices[key]!) };
  }
  const examples = buttons("Examples", control.examples, choose);
  const both = div("text");
  both.dataset["control"] = key;
  both.append(element, examples.element);
  return {
    element: both,
    show(choices) {
      show(choices[key]!);
      examples.show(choices);
    },
  };
}

/** Buttons that set choices. A button is pressed while the choices equal its own. */
function buttons<Choices extends FigureChoices>(
  label: string,
  options: readonly { label: string; title?: string; choices: Partial<Choices> }[],
  choose: (choices: Partial<Choices>) => void,
): Built<Choices> {
  const { element, all } = buttonGroup(
    label,
    options.map(({ choices, ...option }) => ({ ...option, onClick: () => choose(choices) })),
  );
  return {
    element,
    show: (choices) =>
      all.forEach((button, i) => {
        const optionChoices = Object.entries(options[i]!.choices);
        button.setAttribute(
          "aria-pressed",
          String(optionChoices.every(([name, value]) => choices[name] === value)),
        );
      }),
  };
}

/** A named row of buttons. */
function buttonGroup(label: string, list: readonly { label: string; title?: string; onClick: () => void }[]) {
  const element = div("choice");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  const name = document.createElement("span");
  name.textContent = label;
  name.ariaHidden = "true";
  const options = div("options");
  const buttons = list.map(({ label, title, onClick }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    if (title) button.title = title;
    button.addEventListener("click", onClick);
    return button;
  });
  options.append(...buttons);
  element.append(name, options);
  return { element, options, all: buttons };
}

function field(
  control: Drawn<FigureChoices>,
  choose: (value: Value) => void,
): { element: HTMLElement; show: (value: Value) => void } {
  const element = document.createElement("label");
  const name = document.createElement("span");
  name.textContent = control.label;
  if (control.kind === "select") {
    const select = document.createElement("select");
    select.append(...control.options.map(({ label }) => new Option(label)));
    select.addEventListener("change", () => choose(control.options[select.selectedIndex]!.value));
    element.append(name, select);
    return {
      element,
      show: (value) =>
        void (select.selectedIndex = control.options.findIndex((each) => each.value === value)),
    };
  }
  const input = document.createElement("input");
  if (control.kind === "text") {
    Object.assign(input, {
      type: "text",
      maxLength: control.maxLength,
      placeholder: control.placeholder ?? "",
      spellcheck: false,
    });
    input.addEventListener("input", () => choose(input.value));
    element.append(name, input);
    return { element, show: (value) => void (input.value === value || (input.value = String(value))) };
  }
  const { min, max, step, unit } = control as Extract<Control, { kind: "range" }>;
  Object.assign(input, { type: "range", min, max, step });
  const output = document.createElement("output");
  const digits = String(step).split(".")[1]?.length ?? 0;
  const written = (value: Value) => Number(value).toFixed(digits) + (unit ? ` ${unit}` : "");
  input.addEventListener("input", () => choose(Number(input.value)));
  element.append(name, input, output);
  return {
    element,
    show(value) {
      if (Number(input.value) !== value) input.value = String(value);
      output.textContent = written(value);
      input.setAttribute("aria-valuetext", written(value));
    },
  };
}

/** A part of a figure: `name` gives its class in the style sheet. */
export function div(name: string): HTMLDivElement {
  const element = document.createElement("div");
  element.className = `qkv-figure-${name}`;
  return element;
}
