import { labelWidth } from "../../picture.js";
import { weightShades } from "../../weight-shades.js";
import type { Mark } from "../mark.js";
import { mapSize } from "./layout.js";
import { chosenHead, type LinkedMatricesChoices, type LinkedMatricesModel } from "./model.js";

/** Small maps of every head of every model, side by side. A press shows the matrices of a head. */
export function headMaps(
  model: LinkedMatricesModel,
  choices: LinkedMatricesChoices,
  { x, y, width }: { x: number; y: number; width: number },
): Mark[] {
  const now = chosenHead(model, choices);
  const gap = 20;
  const counts = model.models.map(({ layers }) => layers.reduce((sum, heads) => sum + heads.length, 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const pitch = Math.min(mapSize + 8, (width - gap * (counts.length - 1)) / Math.max(1, total));
  const size = pitch - 8;
  const marks: Mark[] = [];
  // The width of a model is that of its maps or of its name.
  let left = x;
  model.models.forEach((each, m) => {
    const note = each.note ?? "";
    marks.push(
      { key: `maps:${m}:name`, kind: "text", x: left, y: y + 12, text: each.name, size: 13, weight: 600 },
      { key: `maps:${m}:note`, kind: "text", x: left, y: y + 28, text: note, size: 11, fill: "quiet" },
    );
    let at = left;
    each.layers.forEach((heads, layer) =>
      heads.forEach((head, h) => {
        const isChosen = each === now.model && layer === now.layer && h === now.index;
        const place = { x: at, y: y + 36, width: size, height: size };
        const address = `map:${m}:${layer}:${h}`;
        marks.push({
          key: address,
          kind: "rect",
          ...place,
          radius: 2,
          fill: "paper",
          stroke: isChosen ? "text" : "rule",
          strokeWidth: isChosen ? 2.5 : 1,
          cell: address,
          ariaLabel: `${each.name}, layer ${layer}, head ${h}: press to see its matrices`,
        });
        weightShades(head.weights, { size: size - 4 }).forEach(({ opacity, path }) =>
          marks.push({
            key: `${address}/${opacity}`,
            kind: "path",
            x: place.x + 2,
            y: place.y + 2,
            d: path,
            cell: address, // a press on the drawn weights is a press on the map
            fill: "weight",
            fillOpacity: opacity,
            layer: 1,
          }),
        );
        const name = each.layers.length > 1 ? `${layer}.${h}` : `head ${h}`;
        marks.push({
          key: `${address}:name`,
          kind: "text",
          x: at + size / 2,
          y: y + 36 + size + 13,
          text: name,
          anchor: "middle",
          size: 11,
          weight: isChosen ? 600 : 400,
          fill: isChosen ? "text" : "quiet",
        });
        at += pitch;
      }),
    );
    left += Math.max(counts[m]! * pitch, labelWidth([each.name]) * 1.1, labelWidth([note]) * 0.92) + gap;
  });
  return marks;
}

/** The model, layer and head of a small map's address. */
export function headOfMap(
  { models }: LinkedMatricesModel,
  address: string,
): Partial<LinkedMatricesChoices> | undefined {
  const [, m, layer, head] = /^map:(\d+):(\d+):(\d+)$/.exec(address) ?? [];
  const model = models[Number(m)];
  return model && { model: model.id, layer: Number(layer), head: Number(head) };
}
