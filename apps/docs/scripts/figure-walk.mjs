// Checks of each figure, for any browser. A `driver` is an open page: `run` calls a function in it, `press` a key,
// `until` waits.
/* global document, innerWidth, location, window -- globals of the page */

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** Runs in the page: the state of a figure as a user sees it. */
function seen(name) {
  const host = document.querySelector(`qkv-${name}`);
  const active = document.activeElement;
  return {
    title: host?.querySelector(".qkv-figure-title")?.textContent,
    playing: host?.querySelector(".qkv-figure-play")?.ariaLabel === "Pause",
    picture: host?.querySelector("svg.qkv-figure-stage")?.innerHTML,
    rows: host?.querySelectorAll(".qkv-figure-table td").length,
    address: new window.URLSearchParams(location.search).get(name),
    inside: host?.contains(active) ?? false,
    cell: active?.getAttribute("data-cell"),
    over: document.documentElement.scrollWidth - innerWidth,
  };
}

/** Runs in the page: presses a button of a figure, by its name. */
function click(name, label) {
  const all = [...document.querySelectorAll(`qkv-${name} button`)];
  all.find((each) => (each.ariaLabel ?? each.textContent) === label).click();
}

/** Runs in the page: plays the figure at full speed. */
function hurry(name) {
  const speed = document.querySelector(`qkv-${name} [aria-label="Speed"]`);
  speed.selectedIndex = speed.options.length - 1;
  speed.dispatchEvent(new window.Event("change"));
}

/** A figure after hydration. */
export async function figureOf(driver, name) {
  await driver.until((name) => {
    document.querySelector(`qkv-${name}`)?.scrollIntoView({ block: "start" });
    return document.querySelector(`qkv-${name} [data-cell]`) !== null;
  }, name);
  return {
    look: () => driver.run(seen, name),
    click: (label) => driver.run(click, name, label),
    /** Waits until the visible state passes a test, and returns it. */
    async until(passes, otherwise) {
      let last;
      await driver.until(async () => passes((last = await driver.run(seen, name))), undefined, otherwise);
      return last;
    },
  };
}

/** Checks of a figure by name, in this order, each with the page to open. */
export const visits = [
  {
    address: ({ path }) => path,
    checks: [
      {
        name: "plays to its end",
        async check(driver, { name, end }) {
          const figure = await figureOf(driver, name);
          const { title: opened } = await figure.look();
          await driver.run(hurry, name);
          await figure.click("Play");
          await figure.until(({ title }) => title !== opened, "play did not begin anew");
          const { title } = await figure.until(({ playing }) => !playing, "it did not come to an end");
          expect(title === (end ?? opened), `it ended at “${title}”`);
        },
      },
      {
        name: "steps back, and forward again",
        async check(driver, { name }) {
          const figure = await figureOf(driver, name);
          const { title: last } = await figure.look();
          await figure.click("Step back");
          await figure.until(({ title }) => title !== last, "it did not step back");
          await figure.click("Step forward");
          await figure.until(({ title }) => title === last, "it did not step forward");
        },
      },
      {
        name: "permalink",
        async check(driver, { name, path, step }) {
          await driver.open(`${path}?${name}=${encodeURIComponent(`step=${step}`)}`);
          const figure = await figureOf(driver, name);
          await figure.until(({ address }) => address === `step=${step}`, "the address lost its step");
          const { title } = await figure.look();
          await figure.click("Step back");
          const moved = await figure.until(
            (now) => now.title !== title && now.address !== `step=${step}`,
            "another step is not in the address",
          );
          await driver.open(`${path}?${name}=${encodeURIComponent(moved.address)}`);
          const again = await figureOf(driver, name);
          await again.until((now) => now.title === moved.title, "the address leads elsewhere");
        },
      },
    ],
  },
  {
    address: ({ name, step }) => `embed/?figure=${name}&${name}=${encodeURIComponent(`step=${step}`)}`,
    checks: [
      {
        name: "embed",
        async check(driver, { name, step }) {
          const figure = await figureOf(driver, name);
          await figure.until(({ address }) => address === `step=${step}`, "the frame forgot its step");
          await figure.click("Table");
          const { over } = await figure.until(({ rows }) => rows > 0, "its table has no numbers");
          expect(over <= 0, `it is ${over} pixels too wide`);
        },
      },
      {
        name: "axe",
        async check(driver, { name }) {
          await figureOf(driver, name);
          const found = await driver.axe(`qkv-${name}`);
          expect(found.length === 0, found.join("; "));
        },
      },
      {
        name: "keyboard alone",
        async check(driver, { name }) {
          const figure = await figureOf(driver, name);
          let now = await figure.look();
          for (let i = 0; i < 60 && !(now.inside && now.cell); i++) {
            await driver.press("Tab");
            now = await figure.look();
          }
          expect(now.cell, "Tab does not lead into the picture");
          const first = now.cell;
          for (const key of ["ArrowRight", "ArrowDown"]) await driver.press(key);
          const { cell, address } = await figure.look();
          expect(cell !== null && cell !== first, "arrows do not go from cell to cell");
          await driver.press("Enter");
          await figure.until((now) => now.address !== address, "Enter presses no cell");
          await driver.press("Escape");
          await driver.press("End");
          const { title: last } = await figure.look();
          await driver.press("Home");
          await figure.until(({ title }) => title !== last, "Home does not go to the first step");
          await driver.press(" ");
          await figure.until(({ playing }) => playing, "the space bar does not play");
          await driver.press(" ");
          await figure.until(({ playing }) => !playing, "the space bar does not pause");
        },
      },
    ],
  },
  {
    address: ({ path }) => path,
    still: true,
    checks: [
      {
        name: "reduced motion",
        async check(driver, { name }) {
          const figure = await figureOf(driver, name);
          const { title: opened } = await figure.look();
          await figure.click("Play");
          await figure.until(({ title }) => title !== opened, "play did not begin anew");
          for (let compared = 0; compared < 3;) {
            const before = await figure.look();
            await new Promise((done) => setTimeout(done, 150));
            const after = await figure.look();
            if (!after.playing && after.title === before.title) break;
            if (after.title !== before.title) continue;
            expect(after.picture === before.picture, `something moved inside of “${before.title}”`);
            compared++;
          }
        },
      },
    ],
  },
];

/** Widths, themes and browsers in which each figure is checked. */
export const viewports = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];
export const themes = ["light", "dark"];
export const browsers = ["Chromium", "Firefox"];
