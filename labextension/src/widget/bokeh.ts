import { Problem } from '../core';
import type { BokehSource } from './commTransport';

interface BokehDocument {
  clear(): void;
}

interface BokehViewManager {
  readonly roots: readonly { readonly model: { readonly document: BokehDocument | null } }[];
  clear(): void;
}

/** The part of BokehJS that is used here. */
export interface Bokeh {
  readonly version: string;
  readonly documents: BokehDocument[];
  readonly embed: {
    embed_item(item: unknown, target: HTMLElement): Promise<BokehViewManager>;
  };
}

// Widgets bring a copy of this module each; the page keeps one BokehJS per version.
const CACHE = Symbol.for('ape-jupyter.bokehjs');

type Cache = Map<string, Promise<Bokeh>>;

function cache(): Cache {
  const page = globalThis as { [CACHE]?: Cache | undefined };
  const loaded = page[CACHE] ?? new Map<string, Promise<Bokeh>>();
  page[CACHE] = loaded;
  return loaded;
}

/** The version of bokeh that wrote an item, which BokehJS must match. */
export function versionOf(item: unknown): string {
  const version = (item as { doc?: { version?: unknown } } | null)?.doc?.version;
  if (typeof version !== 'string') {
    throw new Problem('server', 'The kernel sent no Bokeh figure.');
  }
  return version;
}

/** BokehJS in a namespace of its own: the page's `window.Bokeh`, if any, stays as it is. */
export async function loadBokeh(
  version: string,
  fetchSource: () => Promise<BokehSource>
): Promise<Bokeh> {
  const loaded = cache();
  let bokeh = loaded.get(version);
  if (bokeh === undefined) {
    bokeh = fetchSource().then(({ source }) => evaluate(source));
    loaded.set(version, bokeh);
    // A failed or aborted attempt must not stand in the way of the next.
    bokeh.catch(() => loaded.delete(version));
  }
  return bokeh;
}

function evaluate(source: string): Bokeh {
  const namespace: { Bokeh?: Bokeh } = {};
  try {
    // The kernel's own copy of a library, not user input. Its loaders must not be seen by
    // the script, or it would register there instead of in the namespace.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    new Function('define', 'module', 'exports', source).call(namespace);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Problem('server', `BokehJS could not be started: ${reason}`);
  }
  if (namespace.Bokeh === undefined) {
    throw new Problem('server', 'BokehJS did not start.');
  }
  return namespace.Bokeh;
}

/** Show an item; the function returned leaves nothing of it behind. */
export async function embedItem(
  bokeh: Bokeh,
  item: unknown,
  element: HTMLElement
): Promise<() => void> {
  const frame = document.createElement('div');
  element.append(frame);
  const views = await bokeh.embed.embed_item(item, frame);
  const documents = new Set(views.roots.map(view => view.model.document));
  return () => {
    views.clear();
    // Clearing the views alone keeps their documents, and all their data, for ever.
    for (const document of documents) {
      document?.clear();
      const position = document === null ? -1 : bokeh.documents.indexOf(document);
      if (position >= 0) {
        bokeh.documents.splice(position, 1);
      }
    }
    frame.remove();
  };
}
