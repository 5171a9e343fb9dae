import { useEffect, useState, useSyncExternalStore } from 'react';
import { asProblem, type Problem } from '../problem';
import type { LibraryState } from './libraryState';
import type { LibraryStore } from './libraryStore';

export function useLibraryState(store: LibraryStore): LibraryState {
  return useSyncExternalStore(store.subscribe, store.getState);
}

export interface Answer<T> {
  readonly value: T | null;
  readonly problem: Problem | null;
  /** The question changed, and `value` still answers the one before. */
  readonly pending: boolean;
  retry: () => void;
}

type Ask<T> = (signal: AbortSignal) => Promise<T>;

/**
 * Ask whenever `ask` changes, and drop the answers to questions no longer asked.
 *
 * `ask` must be stable between renders (`useCallback`).
 */
export function useAnswer<T>(ask: Ask<T>): Answer<T> {
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<{
    to: { ask: Ask<T>; attempt: number } | null;
    value: T | null;
    problem: Problem | null;
  }>({ to: null, value: null, problem: null });
  useEffect(() => {
    const controller = new AbortController();
    const to = { ask, attempt };
    ask(controller.signal).then(
      value => {
        if (!controller.signal.aborted) {
          setAnswer({ to, value, problem: null });
        }
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          setAnswer({ to, value: null, problem: asProblem(error) });
        }
      }
    );
    return () => controller.abort();
  }, [ask, attempt]);
  return {
    value: answer.value,
    problem: answer.problem,
    pending: answer.to?.ask !== ask || answer.to.attempt !== attempt,
    retry: () => setAttempt(count => count + 1)
  };
}
