import { pictureStyle } from "../palette.js";

/** Style sheet of all figures on a page. Colors are those of the pictures. */
export const figureStyle: string = /* @__PURE__ */ (() =>
  `${pictureStyle.replaceAll(".qkv-picture", ".qkv-figure")}
.qkv-figure{display:block;color:var(--qkv-text);background:var(--qkv-paper);font:15px/1.45 ui-sans-serif,system-ui,sans-serif;container-type:inline-size;text-align:start}
.qkv-figure *{box-sizing:border-box}
.qkv-figure-head{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:2px 24px}
.qkv-figure .qkv-figure-name{font-size:20px;font-weight:700;margin:0}
.qkv-figure-formula{display:flex;flex-wrap:wrap;font:19px ui-serif,Georgia,serif}
.qkv-figure-formula button{all:unset;cursor:pointer;padding:3px 3px 1px;border-bottom:2px solid transparent;border-radius:4px 4px 0 0;color:var(--qkv-quiet);white-space:pre;min-height:26px;min-width:24px;box-sizing:border-box;text-align:center}
.qkv-figure-formula button:hover{border-color:var(--qkv-rule)}
.qkv-figure-formula button[aria-current]{border-color:currentColor;background:color-mix(in srgb,currentColor 6%,transparent)}
.qkv-figure-controls{display:flex;flex-wrap:wrap;gap:6px 20px;align-items:center;margin:8px 0;font-size:13px;color:var(--qkv-quiet)}
.qkv-figure-controls>*{display:flex;align-items:center;gap:6px;margin:0;padding:0;border:0;min-width:0}
.qkv-figure-choice,.qkv-figure-text{flex-wrap:wrap}
.qkv-figure-text{gap:4px 12px}.qkv-figure-text>*{display:flex;align-items:center;gap:6px}.qkv-figure input[type=text]{width:min(46ch,62cqw)}
.qkv-figure-options{display:flex;flex-wrap:wrap}
.qkv-figure button,.qkv-figure select,.qkv-figure input{font:inherit;color:inherit}
.qkv-figure-options button{all:unset;cursor:pointer;padding:4px 9px;border-radius:6px;font-size:15px;line-height:22px;color:var(--qkv-quiet)}
.qkv-figure-options button:hover{color:var(--qkv-text)}
.qkv-figure-options button[aria-pressed=true]{color:var(--qkv-query-text);font-weight:600;background:color-mix(in srgb,var(--qkv-query) 10%,transparent)}
.qkv-figure-actions{gap:4px}.qkv-figure-actions button{padding:3px 8px;border:1px solid var(--qkv-rule)}
.qkv-figure select,.qkv-figure input[type=text]{color:var(--qkv-text);background:var(--qkv-paper);border:1px solid var(--qkv-rule);border-radius:6px;padding:4px 6px;min-height:32px}
.qkv-figure input[type=range]{accent-color:var(--qkv-text);width:110px;margin:0}
.qkv-figure output{color:var(--qkv-text);min-width:2em;font-variant-numeric:tabular-nums}
.qkv-figure :focus-visible{outline:2px solid var(--qkv-query);outline-offset:2px}
.qkv-figure-say{min-height:72px;margin:4px 0 6px}
.qkv-figure .qkv-figure-say .qkv-figure-title{font-size:18px;font-weight:650;margin:0 0 2px;line-height:1.3;color:var(--qkv-text)}
.qkv-figure-scene{position:relative}
.qkv-figure-scene>.qkv-figure-say[data-aside]{position:absolute;top:0;left:0;margin:0;min-height:0;pointer-events:none}
.qkv-figure-say p{margin:0;max-width:110ch;text-wrap:pretty;color:var(--qkv-quiet)}
.qkv-figure-say[data-aside] p{font-size:14px}
.qkv-figure-source{font-size:13px;color:var(--qkv-query-text)}
.qkv-figure-source[hidden]{display:none}
.qkv-figure-stage{display:block;width:100%;height:auto;overflow:visible;touch-action:pan-y;font:12px ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums}
.qkv-figure-stage [data-cell]{cursor:pointer}
.qkv-figure-stage :focus{outline:none}
.qkv-figure-stage :focus-visible{outline:2px solid var(--qkv-text);outline-offset:1px}
.qkv-figure-read:not(:empty){position:sticky;bottom:0;background:var(--qkv-paper)}
.qkv-figure-read{min-height:22px;margin:2px 0;font-size:13px;color:var(--qkv-quiet);font-variant-numeric:tabular-nums}
.qkv-figure-transport{display:grid;grid-template-columns:auto 1fr auto;gap:4px 16px;align-items:center;border-top:1px solid var(--qkv-rule);padding:8px 0 0}
.qkv-figure-keys{display:flex;gap:6px;align-items:center}
.qkv-figure-keys button{width:40px;height:40px;padding:0;border:1px solid var(--qkv-rule);border-radius:50%;background:var(--qkv-paper);cursor:pointer;display:grid;place-items:center}
.qkv-figure-keys button svg{width:20px;height:20px;fill:var(--qkv-text)}
.qkv-figure-keys .qkv-figure-play{width:46px;height:46px;background:var(--qkv-text);border-color:var(--qkv-text)}
.qkv-figure-keys .qkv-figure-play svg{fill:var(--qkv-paper)}
.qkv-figure-scrub{min-width:0}
.qkv-figure .qkv-figure-scrub input{display:block;width:100%;height:22px}
.qkv-figure-chapters{position:relative;height:20px;font-size:12px}
.qkv-figure-chapters button{all:unset;position:absolute;top:0;cursor:pointer;color:var(--qkv-quiet);white-space:nowrap;border-left:1px solid var(--qkv-rule);padding-left:5px;line-height:20px}
.qkv-figure-chapters button[aria-current]{color:var(--qkv-text);font-weight:600;border-color:var(--qkv-text)}
.qkv-figure-count{display:none;font-size:12px;color:var(--qkv-quiet)}
.qkv-figure-tools{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline;padding:6px 0 0;font-size:13px;color:var(--qkv-quiet)}
.qkv-figure-tools p{margin:0;flex:1 1 20ch}
.qkv-figure-tools button{all:unset;cursor:pointer;padding:5px 0;text-decoration:underline;text-underline-offset:3px;text-decoration-color:var(--qkv-rule)}
.qkv-figure-intake{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline;margin:8px 0 0;padding:8px 12px;border:1px dashed var(--qkv-rule);border-radius:8px;font-size:13px;color:var(--qkv-quiet)}
.qkv-figure-intake p{margin:0;flex:1 1 30ch;white-space:pre-line;overflow-wrap:anywhere}
.qkv-figure-intake[data-state=refused] p,.qkv-figure-intake[data-state=given] p{color:var(--qkv-text)}
.qkv-figure-intake button{all:unset;cursor:pointer;padding:5px 0;text-decoration:underline;text-underline-offset:3px;text-decoration-color:var(--qkv-rule)}
.qkv-figure-intake button[hidden]{display:none}
.qkv-figure-intake button:focus-visible{outline:2px solid var(--qkv-query);outline-offset:2px}
.qkv-figure[data-drop]{outline:3px dashed var(--qkv-query);outline-offset:6px}
.qkv-figure-table{overflow-x:auto;font-size:13px}
.qkv-figure-table table{display:table;border-collapse:collapse;font-variant-numeric:tabular-nums;margin:8px 0}
.qkv-figure-table th,.qkv-figure-table td{padding:3px 10px;border:0;border-bottom:1px solid var(--qkv-rule);text-align:end;background:none;color:var(--qkv-text);font-weight:400}
.qkv-figure-table th:first-child,.qkv-figure-table td:first-child{text-align:start}
.qkv-figure-table thead th{font-weight:600}
@container (max-width:640px){
.qkv-figure-chapters{display:none}.qkv-figure-count{display:block}
.qkv-figure-say{min-height:96px}
.qkv-figure-transport{grid-template-columns:1fr;gap:6px}.qkv-figure-keys select{margin-inline-start:auto}.qkv-figure-tools p{flex-basis:100%}
.qkv-figure-all{display:flex;flex-direction:column}.qkv-figure-all>*{min-width:0}
.qkv-figure-controls{order:1;gap:4px 12px;border-top:1px solid var(--qkv-rule);padding-top:8px}.qkv-figure-tools,.qkv-figure-intake,.qkv-figure-table{order:2}
.qkv-figure input[type=range]{width:72px}.qkv-figure .qkv-figure-scrub input{width:100%}
.qkv-figure-formula{font-size:17px}.qkv-figure-options{margin-left:-3px}.qkv-figure-text .qkv-figure-choice>span{display:none}
}
@media print{.qkv-figure-controls,.qkv-figure-transport,.qkv-figure-tools{display:none}}`)();

/** Adds the style sheet to the document, or to the shadow root of the figure, once. */
export function addFigureStyle(host: HTMLElement): void {
  const root = host.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector("style[data-qkv-figures]")) return;
  const sheet = document.createElement("style");
  sheet.dataset["qkvFigures"] = "";
  sheet.textContent = figureStyle;
  place.append(sheet);
}
