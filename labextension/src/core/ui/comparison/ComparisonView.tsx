import { useCallback, useEffect, useState, type ReactElement } from 'react';
import type { ComparisonType, TimeAlignment } from '../../model';
import { useAnswer } from '../../state/hooks';
import type { ComparisonTransport } from '../../transport';
import { useTrans } from '../../trans';
import { ErrorNotice, Notice } from '../Notice';
import { ComparisonTable } from './ComparisonTable';
import { ComparisonToolbar } from './ComparisonToolbar';
import { Figure, type DrawFigure } from './Figure';

export interface ComparisonSettings {
  readonly simIds: readonly string[];
  readonly comparisonType: ComparisonType;
  readonly timeAlignment: TimeAlignment;
  readonly metric: string;
  readonly reference: string | null;
}

interface ComparisonViewProps {
  transport: ComparisonTransport;
  settings: ComparisonSettings;
  theme: 'light' | 'dark';
  draw: DrawFigure;
  onChange: (change: Partial<ComparisonSettings>) => void;
}

const SLOW_AFTER_MS = 4000;

/** Runs over time in one figure, with its summary in words and its numbers in a table. */
export function ComparisonView(props: ComparisonViewProps): ReactElement {
  const { transport, settings, theme, draw, onChange } = props;
  const trans = useTrans();
  const { comparisonType, timeAlignment, metric, reference } = settings;
  // Compared by value: a synced list is a new array each time.
  const ids = JSON.stringify(settings.simIds);
  const { value, problem, pending, retry } = useAnswer(
    useCallback(
      signal =>
        transport.compare(
          {
            sim_ids: JSON.parse(ids) as string[],
            comparison_type: comparisonType,
            time_alignment: timeAlignment,
            reference,
            metric,
            theme
          },
          signal
        ),
      [transport, ids, comparisonType, timeAlignment, reference, metric, theme]
    )
  );
  const slow = useSlow(pending);

  return (
    <section
      className="jp-ape-root jp-ape-Comparison"
      aria-label={trans.__('Comparison of simulation runs')}
      aria-busy={pending}
    >
      <ComparisonToolbar
        settings={settings}
        runs={value?.comparison.runs ?? []}
        pending={pending}
        onChange={onChange}
      />
      {problem !== null && !pending && <ErrorNotice problem={problem} onRetry={retry} />}
      {slow && (
        <Notice title={trans.__('Waiting for the kernel')} compact>
          <p>
            {trans.__('It may be busy with another cell; the comparison follows when it is idle.')}
          </p>
        </Notice>
      )}
      {value === null ? (
        pending && <div className="jp-ape-Comparison-placeholder" aria-hidden="true" />
      ) : (
        <div className={pending ? 'jp-ape-mod-outdated' : ''}>
          <Figure item={value.item} draw={draw} label={value.summary} />
          <p className="jp-ape-Comparison-summary" aria-live="polite">
            {value.summary}
          </p>
          <ComparisonTable comparison={value.comparison} />
        </div>
      )}
    </section>
  );
}

function useSlow(pending: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!pending) {
      return;
    }
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER_MS);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [pending]);
  return slow;
}
