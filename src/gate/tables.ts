/** What the gate reads about an image beyond its report. Each call starts a new read, which may be stopped early. */
import type { MergedEntry } from '../image/merged-entry.ts'
import type { DuplicateGroup, Efficiency, SizedPath, WastedFile } from '../image/report.ts'
import type { StoredPath } from '../image/stored-paths.ts'
import type { PathKey } from '../text/path.ts'
import type { Exclusion } from './exclusion.ts'

/** The severity of the advice. */
export type Severity = 'info' | 'warning' | 'error'

/** The parts of the advice that rules use. */
export type AdviceFigures = {
  readonly savings: { readonly bytes: number }
  readonly items: readonly {
    readonly severity: Severity
    readonly bytes: number
    readonly kind?: string
    /** Of a value in the config. */
    readonly name?: string
    /** The ten largest. */
    readonly paths: readonly SizedPath[]
  }[]
}

export interface GateTables {
  /** Largest first. */
  waste(): AsyncIterable<readonly WastedFile[]>
  /** Of the merged file system, largest waste first. */
  duplicates(): AsyncIterable<readonly DuplicateGroup[]>
  /** The merged file system, in path order. */
  files(): AsyncIterable<readonly MergedEntry[]>
  /** What the layers store, hidden or not, in path order; each path once. */
  stored(): AsyncIterable<readonly StoredPath[]>
  /** Whether the merged file system has, at that path, what a layer stores there. */
  isShown(key: PathKey): Promise<boolean>
  /** dive's figures without what is excluded. */
  efficiency(exclusion: Exclusion): Promise<Efficiency>
  /** @param exclusion absent if everything counts */
  advice(exclusion: Exclusion | undefined): Promise<AdviceFigures>
}
