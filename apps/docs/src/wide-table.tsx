import { useEffect, useRef, useState, type ComponentProps, type ReactNode } from "react";

/** A table in a page’s text. If it is wider than the page, it scrolls and is focusable with the keyboard. */
export function WideTable(props: ComponentProps<"table">): ReactNode {
  const table = useRef<HTMLTableElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = table.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    // Also observes its rows: they grow when a font loads late.
    for (const box of [element, ...element.children]) observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return <table ref={table} {...props} {...(scrolls && { tabIndex: 0 })} />;
}
