import type { ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { Notice, TransProvider, english } from '../core';
import { CommTransport } from './commTransport';
import { ComparisonOverlay } from './ComparisonOverlay';
import type { WidgetModel } from './model';

interface RenderContext {
  model: WidgetModel;
  el: HTMLElement;
}

function Component(props: { model: WidgetModel; transport: CommTransport }): ReactElement {
  const name = String(props.model.get('_component'));
  if (name === 'ComparisonOverlay') {
    return <ComparisonOverlay {...props} />;
  }
  return (
    <div className="jp-ape-root">
      <Notice title={english.__('This notebook component is not known: %1', name)} tone="error">
        <p>
          {english.__(
            'The ape-jupyter in the kernel and this page differ in version. Restart the kernel and reload the page.'
          )}
        </p>
      </Notice>
    </div>
  );
}

/** Show a component of the kernel; the function returned ends everything it started. */
function render({ model, el }: RenderContext): () => void {
  const transport = new CommTransport(model);
  const root = createRoot(el);
  root.render(
    <TransProvider value={english}>
      <Component model={model} transport={transport} />
    </TransProvider>
  );
  return () => {
    root.unmount();
    transport.dispose();
  };
}

export default { render };
