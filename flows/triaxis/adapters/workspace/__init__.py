"""The door: the user's files are read and checked here, and nowhere else."""

from triaxis.adapters.workspace.file_workspace import FileWorkspace as FileWorkspace
