import siteConfig from "@generated/docusaurus.config";

// Once the page is there and idle: the first visit pays nothing for the next.
if (typeof window !== "undefined" && process.env.NODE_ENV === "production" && "serviceWorker" in navigator) {
  if (document.readyState === "complete") void register();
  else addEventListener("load", () => void register());
}

async function register(): Promise<void> {
  const registration = await navigator.serviceWorker
    .register(`${siteConfig.baseUrl}sw.js`)
    .catch(() => undefined);
  if (!registration) return; // a private window, or a browser told not to
  await navigator.serviceWorker.ready;
  const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
  if (!saving) setTimeout(() => registration.active?.postMessage("keep"), 3000);
}
