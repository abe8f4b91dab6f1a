/** What the gate reads of an image beyond its report. Each call begins a reading of its own, which its reader may leave early. */
import type { MergedEntry } from '../image/merged-entry.ts'
import type { DuplicateGroup, Efficiency, WastedFile } from '../image/report.ts'
import type { Exclusion } from './exclusion.ts'

export interface GateTables {
  /** Largest first. */
  waste(): AsyncIterable<readonly WastedFile[]>
  /** Of the merged file system, largest waste first. */
  duplicates(): AsyncIterable<readonly DuplicateGroup[]>
  /** The merged file system, in path order. */
  files(): AsyncIterable<readonly MergedEntry[]>
  /** dive's figures without what is excluded. */
  efficiency(exclusion: Exclusion): Promise<Efficiency>
}
