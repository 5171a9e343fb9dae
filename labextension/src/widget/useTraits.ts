import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { ComparisonSettings } from '../core';
import type { WidgetModel } from './model';

const TRAIT_OF = {
  simIds: 'sim_ids',
  comparisonType: 'comparison_type',
  timeAlignment: 'time_alignment',
  metric: 'metric',
  reference: 'reference'
} as const satisfies Record<keyof ComparisonSettings, string>;

function readSettings(model: WidgetModel): ComparisonSettings {
  const read = <K extends keyof ComparisonSettings>(name: K): ComparisonSettings[K] =>
    model.get(TRAIT_OF[name]) as ComparisonSettings[K];
  return {
    simIds: read('simIds'),
    comparisonType: read('comparisonType'),
    timeAlignment: read('timeAlignment'),
    metric: read('metric'),
    reference: read('reference')
  };
}

/** The synced traits of a comparison, and a way to change them from this side. */
export function useComparisonTraits(
  model: WidgetModel
): [ComparisonSettings, (change: Partial<ComparisonSettings>) => void] {
  const snapshot = useRef<ComparisonSettings | null>(null);
  const subscribe = useCallback(
    (listener: () => void) => {
      const changed = (): void => {
        snapshot.current = null;
        listener();
      };
      const events = Object.values(TRAIT_OF).map(trait => `change:${trait}`);
      events.forEach(event => model.on(event, changed));
      return () => events.forEach(event => model.off(event, changed));
    },
    [model]
  );
  const settings = useSyncExternalStore(subscribe, () => {
    snapshot.current ??= readSettings(model);
    return snapshot.current;
  });
  const change = useCallback(
    (edit: Partial<ComparisonSettings>) => {
      for (const [name, value] of Object.entries(edit)) {
        model.set(TRAIT_OF[name as keyof ComparisonSettings], value);
      }
      model.save_changes();
    },
    [model]
  );
  return [settings, change];
}
