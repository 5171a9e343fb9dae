import { useCallback, useEffect, type ReactElement } from 'react';
import { ComparisonView, type DrawFigure } from '../core';
import { embedItem, loadBokeh, versionOf } from './bokeh';
import type { CommTransport } from './commTransport';
import type { WidgetModel } from './model';
import { useTheme } from './theme';
import { useComparisonTraits } from './useTraits';

interface ComparisonOverlayProps {
  model: WidgetModel;
  transport: CommTransport;
}

export function ComparisonOverlay({ model, transport }: ComparisonOverlayProps): ReactElement {
  const [settings, change] = useComparisonTraits(model);
  const theme = useTheme();
  useEffect(() => {
    const version = model.get('_bokeh_version');
    if (typeof version === 'string' && version !== '') {
      // Starts while the kernel compares; a failure shows when the figure is drawn.
      loadBokeh(version, () => transport.bokehjs()).catch(() => undefined);
    }
  }, [model, transport]);
  const draw = useCallback<DrawFigure>(
    async (item, element, signal) => {
      // Other widgets share what is loaded here, so it is not tied to this figure's life.
      const bokeh = await loadBokeh(versionOf(item), () => transport.bokehjs());
      signal.throwIfAborted();
      return embedItem(bokeh, item, element);
    },
    [transport]
  );
  return (
    <ComparisonView
      transport={transport}
      settings={settings}
      theme={theme}
      draw={draw}
      onChange={change}
    />
  );
}
