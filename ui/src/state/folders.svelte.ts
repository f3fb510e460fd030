// The watched folders.
import type { Backend } from "../backend/types";
import type { WatchedFolderForm } from "../bindings/WatchedFolderForm";
import type { WatchedFolderView } from "../bindings/WatchedFolderView";

export class FoldersState {
  all = $state.raw<readonly WatchedFolderView[]>([]);
  loaded = $state(false);

  constructor(
    readonly backend: Backend,
    readonly onError: (thrown: unknown) => void,
  ) {}

  async load(): Promise<void> {
    try {
      this.all = await this.backend.listWatchedFolders();
      this.loaded = true;
    } catch (thrown) {
      this.onError(thrown);
    }
  }

  /** True when the folder is watched now. */
  save(form: WatchedFolderForm): Promise<boolean> {
    return this.#then(() => this.backend.saveWatchedFolder(form));
  }

  pause(id: string, paused: boolean): Promise<boolean> {
    return this.#then(() => this.backend.pauseWatchedFolder(id, paused));
  }

  remove(id: string): Promise<boolean> {
    return this.#then(() => this.backend.deleteWatchedFolder(id));
  }

  async #then(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      await this.load();
      return true;
    } catch (thrown) {
      this.onError(thrown);
      return false;
    }
  }
}
