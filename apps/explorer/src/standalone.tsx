// The page that the command `qkv lens` serves: the explorer on a model of the server.
import { createRoot } from "react-dom/client";
import { Explorer, type GivenModel } from "./explorer";
import "./standalone.css";

const createWorker = () => new Worker(new URL("worker.js", document.baseURI), { type: "module" });

/** The model that the server names in `model.json`. Undefined: there is no such file, and the page opens the small model. */
async function givenModel(): Promise<GivenModel | undefined> {
  const response = await fetch("model.json");
  if (!response.ok) return undefined;
  const { name, file } = (await response.json()) as { name: string; file: string };
  return { name, place: new URL(file, document.baseURI).href };
}

const given = await givenModel();
createRoot(document.getElementById("explorer")!).render(
  <Explorer createWorker={createWorker} {...(given && { given })} />,
);
