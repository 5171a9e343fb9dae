import { useCallback, useState, type ReactElement, type ReactNode } from 'react';
import { formatCount, formatTime } from '../format';
import type { AuditEvent } from '../model';
import { useAnswer } from '../state/hooks';
import type { LibraryTransport } from '../transport';
import { useTrans } from '../trans';
import { ErrorNotice } from './Notice';
import { ValueTree } from './ValueTree';

interface RunDocumentsProps {
  simId: string;
  transport: LibraryTransport;
}

/** Protocol, parameters and audit log: closed at first, rendered when opened. */
export function RunDocuments({ simId, transport }: RunDocumentsProps): ReactElement {
  const trans = useTrans();
  const { value, problem, retry } = useAnswer(
    useCallback(signal => transport.documents(simId, signal), [transport, simId])
  );
  if (problem !== null) {
    return <ErrorNotice problem={problem} onRetry={retry} compact />;
  }
  if (value === null) {
    return (
      <p className="jp-ape-Detail-loading" role="status">
        {trans.__('Loading protocol and audit log…')}
      </p>
    );
  }
  const { protocol, parameters, audit_log } = value;
  const hasProtocol = Object.keys(protocol.parameters).length > 0;
  return (
    <>
      <Section title={trans.__('Protocol')}>
        {hasProtocol ? (
          <ValueTree value={protocol.parameters} />
        ) : (
          <p>{trans.__('This run came without a protocol.')}</p>
        )}
      </Section>
      {Object.keys(parameters).length > 0 && (
        <Section title={trans.__('Parameters')}>
          <ValueTree value={parameters} />
        </Section>
      )}
      <Section title={trans.__('Audit log (%1)', formatCount(audit_log.length))}>
        {audit_log.length > 0 ? (
          <AuditLog events={audit_log} />
        ) : (
          <p>{trans.__('This run came without an audit log.')}</p>
        )}
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }): ReactElement {
  const [open, setOpen] = useState(false);
  return (
    <details
      className="jp-ape-Section"
      open={open}
      onToggle={event => {
        // Branches inside toggle too, and their events bubble in React.
        if (event.target === event.currentTarget) {
          setOpen(event.currentTarget.open);
        }
      }}
    >
      <summary>{title}</summary>
      {open && children}
    </details>
  );
}

function AuditLog({ events }: { events: readonly AuditEvent[] }): ReactElement {
  return (
    <ol className="jp-ape-AuditLog">
      {events.map((event, position) => (
        <li key={position}>
          <div className="jp-ape-AuditLog-head">
            <span>{event.event}</span>
            {event.timestamp !== null && (
              <time dateTime={event.timestamp}>{formatTime(event.timestamp)}</time>
            )}
          </div>
          {Object.keys(event.data).length > 0 && <ValueTree value={event.data} depth={1} />}
        </li>
      ))}
    </ol>
  );
}
