"""`betterai providers`: what is configured, what is missing, and which variable sets it. No value is ever shown."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from betterai.cli.control import one_line
from betterai.cli.output import Output, Style
from betterai.cli.table import write_table
from betterai.config.defaults import MODEL_VARIABLES, chosen_model, default_model
from betterai.config.environment import missing_settings, read_config_file, read_value, read_variable
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError, ModelNotFoundError
from betterai.core.provider import Provider, Setting
from betterai.runtime.registry import get_provider, provider_names, resolve_model

HEADINGS = ("PROVIDER", "STATUS", "SETTINGS", "OFFERS", "DEFAULT TEXT MODEL")
STATUSES = ("ready", "missing", "listed", "broken")
_STYLES: dict[str, Style] = {"ready": "green", "missing": "yellow", "listed": "dim", "broken": "red"}


class SettingState(Data, frozen=True, kw_only=True):
    """`source` is the variable that sets it, "file" for the configuration file, "default", or "" where nothing does."""

    name: str
    variables: tuple[str, ...]
    required: bool
    secret: bool
    source: str


class ProviderState(Data, frozen=True, kw_only=True):
    """`status` is ready, missing (a required setting has no value), listed (its models are in the catalogue, but it
    cannot be asked) or broken (it cannot be loaded: `problem`).
    """

    name: str
    title: str = ""
    status: str = "ready"
    categories: tuple[str, ...] = ()
    default_text_model: str = ""
    settings: tuple[SettingState, ...] = ()
    embedded: bool = False
    docs: str = ""
    problem: str = ""

    @property
    def missing(self) -> list[SettingState]:
        return [setting for setting in self.settings if setting.required and not setting.source]

    @property
    def is_configured(self) -> bool:
        """Whether the user has set any of it."""
        return any(setting.source not in ("", "default") for setting in self.settings)


def run(arguments: Namespace, output: Output) -> int:
    states = sorted(map(describe_provider, provider_names()), key=lambda state: STATUSES.index(state.status))
    variable = MODEL_VARIABLES["text"]
    chosen, source = chosen_model("text")
    model = chosen or default_model("text")
    suggestion = suggest(states, chosen)
    if arguments.json:
        found = {
            "default_text_model": model,
            "source": source or "default",
            "providers": states,
            "suggestion": suggestion,
        }
        output.write_json(found)
        return 0
    write_table(HEADINGS, [_row(state) for state in states], output, styles=_STYLES)
    for state in states:
        if state.problem:
            output.answers.write(f"\n{state.name}: {state.problem}\n")
    whence = f"from {source}" if chosen else f"{variable} is not set"
    output.answers.write(f"\ndefault text model: {one_line(model) or 'none'} ({whence})\n")
    if suggestion:
        output.answers.write(f"next: {suggestion}\n")
    return 0


def describe_provider(name: str) -> ProviderState:
    try:
        provider = get_provider(name)
    except ConfigurationError as error:
        return ProviderState(name=name, status="broken", problem=one_line(f"{error.message} – {error.hint}"))
    text_model, unset = provider.defaults.get("text", ""), missing_settings(provider)
    return ProviderState(
        name=name,
        title=provider.title,
        status="listed" if not provider.protocols else "missing" if unset else "ready",
        categories=tuple(provider.protocols),
        default_text_model=f"{name}/{text_model}" if text_model else "",
        settings=tuple(
            _describe_setting(provider, setting, _is_required(setting, unset)) for setting in provider.settings
        ),
        embedded=provider.embedded,
        docs=provider.docs,
    )


def _is_required(setting: Setting, unset: Sequence[Setting]) -> bool:
    """What others make, or stand in for, need not be set."""
    return setting.required and setting.derive is None and (setting in unset or not setting.instead)


def _describe_setting(provider: Provider, setting: Setting, required: bool) -> SettingState:
    source = next((variable for variable in setting.env if read_variable(variable) is not None), "")
    if not source and read_value(read_config_file().settings_of(provider).get(setting.name)):
        source = "file"
    return SettingState(
        name=setting.name,
        variables=setting.env,
        required=required,
        secret=setting.secret,
        source=source or ("default" if setting.default is not None else ""),
    )


def suggest(states: Sequence[ProviderState], chosen: str) -> str:
    """What to set next, as a line for the shell; "" where nothing lacks."""
    by_name = {state.name: state for state in states}
    wanted = by_name.get(_provider_of(chosen)) if chosen else None
    if wanted is not None and wanted.missing:
        return _suggest_setting(wanted)
    usable = [state for state in states if state.status == "ready" and state.is_configured and state.default_text_model]
    if usable and not chosen:
        return f"export {MODEL_VARIABLES['text']}={usable[0].default_text_model}"
    lacking = [state for state in states if state.status == "missing" and "text" in state.categories]
    return _suggest_setting(min(lacking, key=lambda state: len(state.missing))) if lacking else ""


def _provider_of(model: str) -> str:
    try:
        return resolve_model(model).provider
    except ModelNotFoundError:
        return ""


def _suggest_setting(state: ProviderState) -> str:
    setting = state.missing[0]
    line = f"export {setting.variables[0]}=…" if setting.variables else f"give {state.name} its {setting.name}"
    return f"{line}  # keys: {state.docs}" if setting.secret and state.docs else line


def _row(state: ProviderState) -> tuple[str, ...]:
    said = {"listed": "its models are listed, but it cannot be asked yet", "broken": "does not load"}
    settings = said.get(state.status) or "; ".join(_describe_sources(state)) or "needs none"
    return state.name, state.status, settings, ", ".join(state.categories) or "–", state.default_text_model or "–"


def _describe_sources(state: ProviderState) -> Iterator[str]:
    """What is set, and by what; then what is missing, or else which keys may be set."""
    for setting in state.settings:
        if setting.source not in ("", "default"):
            yield f"{setting.name} from {'the file' if setting.source == 'file' else setting.source}"
    for setting in state.missing:
        yield f"set {' or '.join(setting.variables) or setting.name}"
    optional = [setting for setting in state.settings if setting.secret and not setting.source]
    if optional and not state.missing:
        names = (" or ".join(setting.variables) or setting.name for setting in optional)
        yield f"{', '.join(names)} may be set"
