import type { components } from './api';

type Schemas = components['schemas'];

export type AuditEvent = Schemas['AuditEvent'];
export type Comparison = Schemas['Comparison'];
export type Health = Schemas['Health'];
export type ImportOutcome = Schemas['ImportOutcome'];
export type Job = Schemas['Job'];
export type SearchPage = Schemas['SearchPage'];
export type SimulationDocuments = Schemas['SimulationDocuments'];
export type SimulationMetadata = Schemas['SimulationMetadata'];
export type TagChange = Schemas['TagChange'];
export type TagCount = Schemas['TagCount'];
export type WatchState = Schemas['WatchState'];

export type ComparisonType = Comparison['request']['comparison_type'];
export type TimeAlignment = Comparison['request']['time_alignment'];

/** The version of the REST interface that this front end was written for. */
export const API_VERSION = 1;
