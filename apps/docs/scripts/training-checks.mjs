// Checks of the model that is trained in the browser tab.
import { press } from "./site-checks.mjs";

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

const path = "guides/train-in-a-tab/";
const inStatus = (page, status) => page.locator(`[data-training="${status}"]`).waitFor({ timeout: 300_000 });

export const trainingChecks = [
  {
    name: "a press trains a model in workers, with its curve, and the model writes sentences",
    path,
    async check(page) {
      const requests = [];
      page.on("request", (request) => requests.push(request.url()));
      const training = page.locator("[data-training]");
      expect(!requests.some((url) => url.includes("/live/training")), "the run was loaded before its button");
      await press(training.getByRole("button", { name: "Train" }));
      await inStatus(page, "running");
      await training.locator("svg").waitFor();
      expect(page.workers().length > 0, "no worker computes gradients");
      await inStatus(page, "done");
      await training.getByText(/step 300: loss 0\.\d+, held-back 0\.\d+.*tokens\/s/).waitFor();
      const text = await training.locator("[data-text]").innerText();
      const sentence =
        /the (cat|dog|owl|fox|hen|goat) (sat|slept|sang|hid|ran|stood) (on|by|under|near|behind|in) the \w+\./;
      expect(sentence.test(text), `it writes ${text}`);
    },
  },
  {
    name: "training is stopped by its button, and the model as it is writes",
    path,
    async check(page) {
      const training = page.locator("[data-training]");
      await press(training.getByRole("button", { name: "Train" }));
      await training.locator("svg").waitFor();
      await press(training.getByRole("button", { name: "Stop" }));
      await inStatus(page, "stopped");
      expect((await training.locator("[data-text]").innerText()).startsWith("the "), "it writes nothing");
      expect(await training.getByRole("button", { name: "Train" }).isEnabled(), "it cannot be trained again");
    },
  },
];
