"""Zoom's messages in other languages, so that a test can check that a client never compares text."""

from __future__ import annotations

import re
from collections.abc import Callable

PSEUDO = "xx"  # a language in which every message is another one, so that a test can leave none out
_LETTERS = str.maketrans("aceinouyACEINOUY", "áçéíñöüýÁÇÉÍÑÖÜÝ")
_PLACE = re.compile(r"(\{\})")
_TRANSLATIONS: dict[str, dict[str, str]] = {
    "es": {
        "Invalid access token.": "Token de acceso no válido.",
        "Access token is expired.": "El token de acceso ha caducado.",
        "Invalid access token, does not contain scopes:[{}].": "Token de acceso no válido, no contiene ámbitos:[{}].",
        "Validation Failed.": "Error de validación.",
        "User does not exist: {}.": "El usuario no existe: {}.",
        "Meeting does not exist: {}.": "La reunión no existe: {}.",
        "Webinar does not exist: {}.": "El seminario web no existe: {}.",
        "There is no recording for this meeting.": "No hay ninguna grabación de esta reunión.",
        "No permission.": "Sin permiso.",
        "This API endpoint is not recognized.": "No se reconoce este punto de conexión de la API.",
        "Cannot access webinar info.": "No se puede acceder a la información del seminario web.",
        "The next page token is invalid or expired.": "El token de la página siguiente no es válido o ha caducado.",
        "Invalid field.": "Campo no válido.",
        "Required field.": "Campo obligatorio.",
        'Email "{}" has already been used.': "El correo electrónico {} ya está en uso.",
        "Meeting {} has not started.": "La reunión {} no ha comenzado.",
        "Meeting has reached maximum attendee capacity.": "La reunión ha alcanzado la capacidad máxima de asistentes.",
        "Host cannot register.": "El anfitrión no puede inscribirse.",
        "Invalid meeting ID.": "ID de reunión no válido.",
        "The recording is still being processed.": "La grabación aún se está procesando.",
        "This meeting transcript does not exist.": "La transcripción de esta reunión no existe.",
    },
    "de": {
        "Invalid access token.": "Ungültiges Zugriffstoken.",
        "Access token is expired.": "Das Zugriffstoken ist abgelaufen.",
        "Invalid access token, does not contain scopes:[{}].": "Ungültiges Zugriffstoken, es fehlen die Scopes:[{}].",
        "Validation Failed.": "Überprüfung fehlgeschlagen.",
        "User does not exist: {}.": "Benutzer existiert nicht: {}.",
        "Meeting does not exist: {}.": "Meeting existiert nicht: {}.",
        "Webinar does not exist: {}.": "Webinar existiert nicht: {}.",
        "There is no recording for this meeting.": "Für dieses Meeting gibt es keine Aufzeichnung.",
        "No permission.": "Keine Berechtigung.",
        "This API endpoint is not recognized.": "Dieser API-Endpunkt wird nicht erkannt.",
        "Cannot access webinar info.": "Auf die Webinar-Informationen kann nicht zugegriffen werden.",
        "The next page token is invalid or expired.": "Das Token der nächsten Seite ist ungültig oder abgelaufen.",
    },
    "fr": {
        "Invalid access token.": "Jeton d'accès non valide.",
        "Access token is expired.": "Le jeton d'accès a expiré.",
        "Validation Failed.": "Échec de la validation.",
        "User does not exist: {}.": "L'utilisateur n'existe pas : {}.",
        "Meeting does not exist: {}.": "La réunion n'existe pas : {}.",
        "Webinar does not exist: {}.": "Le webinaire n'existe pas : {}.",
        "There is no recording for this meeting.": "Il n'existe aucun enregistrement de cette réunion.",
        "No permission.": "Aucune autorisation.",
    },
    "ja": {
        "Invalid access token.": "無効なアクセストークンです。",
        "Access token is expired.": "アクセストークンの有効期限が切れています。",
        "Validation Failed.": "検証に失敗しました。",
        "User does not exist: {}.": "ユーザーが存在しません: {}",
        "Meeting does not exist: {}.": "ミーティングが存在しません: {}",
        "Webinar does not exist: {}.": "ウェビナーが存在しません: {}",
        "There is no recording for this meeting.": "このミーティングの記録はありません。",
        "No permission.": "権限がありません。",
    },
}


def language_of(accept_language: str, forced: str = "") -> str:
    """The first two letters of the language to answer in; `en` unless one was asked for."""
    wanted = forced or accept_language.split(",", maxsplit=1)[0].split(";", maxsplit=1)[0]
    return wanted.strip()[:2].lower() or "en"


def translator(language: str) -> Callable[[str], str]:
    """A function that turns an English message into `language`, or leaves it where there is no translation."""
    if language == PSEUDO:
        return _pseudo
    table = _TRANSLATIONS.get(language, {})
    return lambda text: table.get(text, text)


def _pseudo(text: str) -> str:
    parts = [part if part == "{}" else part.translate(_LETTERS) for part in _PLACE.split(text)]
    return f"[{''.join(parts)}]"
