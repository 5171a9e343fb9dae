import { createContext, useContext } from 'react';
import type { SimulationMetadata } from './model';

/** What the application around the components does for them. */
export interface Host {
  insertCode(simIds: readonly string[]): void;
  compare(simIds: readonly string[]): void;
  copy(text: string): void;
  /** Say that a run went to the trash, and offer to take it back. */
  removed(run: SimulationMetadata, undo: () => Promise<void>): void;
  /** Tell of a failure that has no place in the view that caused it. */
  failed(what: string, reason: string): void;
  startDrag(simIds: readonly string[], label: string, clientX: number, clientY: number): void;
}

const HostContext = createContext<Host | null>(null);

export const HostProvider = HostContext.Provider;

export function useHost(): Host {
  const host = useContext(HostContext);
  if (host === null) {
    throw new Error('Components of the library need a HostProvider around them.');
  }
  return host;
}
