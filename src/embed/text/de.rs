//! The embed in German. Its words: Ereignis, Zustellung, Versuch, Verbindung, Regel, Signatur,
//! Geheimnis, Ziel, Nutzdaten, Nachsendung (asked for), Wiederholung (automatic). People are Sie.

use crate::domain::base::error::Kind;
use crate::domain::connection::model::SetBy;
use crate::domain::connection::signing::{Algorithm, Scheme, Signing};
use crate::domain::tenants::session::{Denied, Role};
use crate::embed::text::Texts;
use crate::embed::text::catalogue::Catalogue;
use crate::embed::text::changes::Changes;
use crate::embed::text::charts::Charts;
use crate::embed::text::connection::Connection;
use crate::embed::text::filter::Filter;
use crate::embed::text::foreign::Foreign;
use crate::embed::text::form::Form;
use crate::embed::text::history::History;
use crate::embed::text::mapping::Mapping;
use crate::embed::text::moments::Moments;
use crate::embed::text::replay::Replay;
use crate::embed::text::said::{Sentence, translated};
use crate::embed::text::search::Search;
use crate::embed::text::why::Why;

/// All texts.
pub static TEXTS: Texts = Texts {
    tag: "de",
    navigation: "Webhooks",
    skip: "Zum Inhalt springen",
    dashboard: "Übersicht",
    connections: "Verbindungen",
    rules: "Regeln",
    events: "Ereignisse",
    theme: "Farben",
    theme_auto: "Automatisch",
    theme_light: "Hell",
    theme_dark: "Dunkel",
    read_only: "nur lesen",
    copy: "Kopieren",
    copied: "Kopiert",
    back: "Zurück",
    save: "Speichern",
    edit: "Bearbeiten",
    show: "Anzeigen",
    clear: "Zurücksetzen",
    any: "Alle",
    older: "Ältere",
    test: "Test",
    set: "gesetzt, verborgen",
    unchanged: "unverändert",
    not_saved: "Nichts wurde gespeichert oder gesendet. Bitte berichtigen Sie diese Felder:",
    changed_meanwhile: "Jemand anderes hat dies geändert, während Sie es bearbeitet haben. Nichts \
         wurde gespeichert.",
    changed_meanwhile_advice: "Das Formular unten enthält Ihre Eingaben. Speichern Sie es, um den \
         jetzigen Stand zu ersetzen.",
    field: "Feld",
    stored_now: "Jetzt gespeichert",
    yours: "Ihre Eingabe",
    choose_one: "wählen Sie eine Möglichkeit",
    closed_title: "Diese Sitzung ist beendet",
    closed_body: "Gehen Sie zurück zum Produkt und öffnen Sie diese Seite noch einmal. Wenn Sie \
         sie gerade erst geöffnet haben, warten Sie bitte: Die Sitzung wird vielleicht von selbst \
         erneuert.",
    suspended: "Änderungen sind zurzeit ausgeschaltet. Was Sie sehen, können Sie weiterhin lesen.",
    foreign_form: "Dieses Formular kam nicht von einer Seite dieser Sitzung. Öffnen Sie die Seite \
         noch einmal und wiederholen Sie, was Sie getan haben.",
    start_title: "In drei Schritten zum ersten Webhook",
    new_connection: "Neue Verbindung",
    grid_hint: "Wählen Sie, wohin Ereignisse gesendet werden.",
    rules_later: "Fügen Sie Regeln hinzu, wenn Sie die Verbindung angelegt haben. Sie legen \
         fest, welche Ereignisse gesendet werden und mit welchem Inhalt.",
    rule_step: "Wählen Sie, welche Ereignisse gesendet werden und mit welchem Inhalt.",
    not_checked: "Die Zugangsdaten konnten nicht geprüft werden. Senden Sie ein Testereignis, \
         um zu sehen, ob sie funktionieren.",
    made_of: "Der Inhalt, der aus dem Ereignis erzeugt wurde. Nur der erste Teil wird \
         aufbewahrt.",
    edit_connection: "Verbindung bearbeiten",
    create_connection: "Verbindung anlegen",
    delete_connection: "Diese Verbindung löschen",
    keep: "Nein, zurück",
    cancel_delivery: "Diese Zustellung abbrechen?",
    cancel_delivery_means: "Sie wird nicht mehr gesendet. Sie können sie später auf dieser Seite \
         erneut senden.",
    cancel_yes: "Zustellung abbrechen",
    end_overlap_ask: "Die alten Geheimnisse ab jetzt nicht mehr verwenden?",
    end_overlap_means: "Anfragen werden nur noch mit dem neuesten Geheimnis signiert. Ein Server, \
         der noch ein altes prüft, lehnt sie ab.",
    end_overlap_yes: "Alte Geheimnisse nicht mehr verwenden",
    delete_ask: "Diese Verbindung löschen?",
    created_title: "Verbindung angelegt",
    saved_title: "Verbindung gespeichert",
    next_steps: "Die nächsten Schritte",
    verification: "Code zur Prüfung",
    verification_step: "Kopieren Sie Code für Ihre Sprache, der die Signatur prüft.",
    test_step: "Sehen Sie die Anfrage und die Antwort Ihres Servers nach ein bis zwei Sekunden.",
    send_test: "Testereignis senden",
    to_connection: "Zur Verbindung",
    destination: "Ziel",
    name_example: "Bestellungen",
    events_to_send: "Ereignisse",
    events_to_send_hint: "Aus jedem Ereignis, das Sie wählen, wird eine Regel. Sie können sie \
         später ändern.",
    no_catalogue: "Fügen Sie Regeln hinzu, wenn Sie die Verbindung angelegt haben.",
    signature: "Signatur",
    body_scheme_warning: "Bei diesem Schema deckt die Signatur nur den Inhalt ab. Der Header mit \
         der Zeit hilft, alte Anfragen abzulehnen, ist aber nicht signiert: Ein Angreifer, der \
         eine Anfrage wiederholt, kann ihn ändern.",
    secret: "Signaturgeheimnis",
    authentication: "Anmeldung und Header",
    authentication_hint: "Für Server, die mehr als eine Signatur brauchen. Die Werte werden \
         verschlüsselt gespeichert, nie wieder gezeigt und erscheinen überall als ***.",
    header_name: "Header",
    header_value: "Wert",
    delivery_options: "Methode, Inhalt und Wiederholungen",
    settings: "Einstellungen",
    deliveries: "Zustellungen",
    no_deliveries: "An diese Verbindung wurde noch nichts gesendet. Senden Sie ein Testereignis, \
         um sie auszuprobieren.",
    pause: "Pausieren",
    resume: "Fortsetzen",
    resume_without: "Fortsetzen und Zurückgehaltenes abbrechen",
    held_meanwhile: "Die Ereignisse dieser Verbindung werden zurückgehalten, bis Sie sie \
         fortsetzen. Nichts geht verloren.",
    not_before: "Nächster Versuch",
    holds_the_line: "Diese Verbindung hält die Reihenfolge streng ein, und ein Ereignis hält alle \
         späteren auf. Beheben Sie die Ursache des Fehlers oder brechen Sie seine Zustellung ab:",
    failing_since: "Schlägt fehl seit",
    last_error: "Letzter Fehler:",
    gone_connection: "Eine gelöschte Verbindung",
    your_secret: "Ihr Signaturgeheimnis",
    secret_once: "Kopieren Sie es jetzt und legen Sie es dort ab, wo Ihr Server es lesen kann. Es \
         wird nicht noch einmal gezeigt. Wenn Sie es verlieren, erneuern Sie das Geheimnis.",
    equivalent_secret: "Dasselbe Geheimnis für Bibliotheken von Standard Webhooks",
    equivalent_secret_why: "Diese Bibliotheken nehmen Geheimnisse nur in dieser Form an. Es wird \
         einmal gezeigt. Halten Sie es so geheim wie das, das Sie eingegeben haben.",
    short_secret: "Dieses Geheimnis ist kurz. Eines mit 24 Bytes oder mehr ist viel schwerer zu \
         erraten.",
    unseen_secret: "Dieses Geheimnis wurde erzeugt, und niemand hat es gesehen. Ersetzen Sie es \
         durch eines, das Sie kennen, damit Ihr Server Signaturen prüfen kann.",
    stops_signing: "signiert bis",
    rotate: "Geheimnis erneuern",
    rotated_title: "Geheimnis erneuert",
    new_secret_title: "Das neue Geheimnis",
    no_overlap: "Dieses Schema sendet nur eine Signatur. Das neue Geheimnis gilt sofort, das alte \
         nicht mehr. Lassen Sie Ihren Server beide annehmen, bevor Sie es erneuern.",
    live_secrets: "Verwendete Geheimnisse",
    end_overlap: "Alte Geheimnisse nicht mehr verwenden",
    rules_hint: "Eine Regel sendet die Ereignisse, die zu ihr passen, an eine Verbindung. Zwei \
         Regeln für dasselbe Ereignis und dieselbe Verbindung senden es zweimal.",
    no_rules: "Es gibt noch keine Regeln: Nichts wird gesendet.",
    no_rules_yet: "Keine Regeln: An diese Verbindung wird nichts gesendet.",
    new_rule: "Neue Regel",
    add_rule: "Regel hinzufügen",
    edit_rule: "Regel bearbeiten",
    delete_rule: "Diese Regel löschen",
    delete_rule_warning: "Bestehende Zustellungen laufen weiter. Neue Ereignisse werden durch \
         diese Regel nicht gesendet.",
    pattern_hint: "Der Name eines Ereignisses, order.* für alle Namen, die mit order. beginnen, \
         oder * für alle Ereignisse.",
    rule_limits: "Auf eine Ressource beschränken",
    rule_filter: "Nach Nutzdaten filtern",
    filtered: "gefiltert",
    rule_inactive: "Diese Regel pausieren",
    sent_to: "an",
    filter_event: "Ereignis",
    filter_resource_id: "Ressourcen-ID",
    filter_status: "Status",
    filter_id: "Nach ID suchen",
    filter_id_example: "ID oder msg_...",
    no_events: "Noch keine Ereignisse. Sie erscheinen hier, sobald im Produkt etwas geschieht.",
    nothing_found: "Kein Ereignis auf dieser Seite passt. Ändern Sie den Filter oder sehen Sie \
         ältere Ereignisse an.",
    no_such_id: "Das ist weder die ID eines Ereignisses noch die einer Nachricht (msg_...).",
    unrouted: "Keine Regel",
    not_routed: "Keine Regel passte zu diesem Ereignis, deshalb wurde es nicht gesendet.",
    last_events: "Letzte Ereignisse",
    all_events: "Alle Ereignisse",
    all_well: "Alle Verbindungen funktionieren.",
    show_failed: "Anzeigen",
    event: "Ereignis",
    event_id: "Ereignis-ID",
    resource: "Ressource",
    accepted: "Angenommen",
    kept_until: "Aufbewahrt bis",
    erased: "Die Nutzdaten wurden gelöscht.",
    payload: "Nutzdaten",
    by_test: "Testereignis",
    by_rule: "Regel:",
    by_gone_rule: "Regel: gelöscht",
    by_hand: "von Hand",
    unmatched: "Regeln, die nicht zu diesem Ereignis passten",
    retry_now: "Jetzt wiederholen",
    cancel: "Abbrechen",
    send_again: "Erneut senden",
    next_attempt: "Nächster Versuch",
    then: "schlägt er fehl, dann",
    no_attempt_yet: "Noch kein Versuch. Es wird gleich gesendet.",
    request_sent: "Anfrage",
    save_body: "Speichern Sie zuerst den Inhalt als Datei: Der Befehl liest ihn von dort.",
    unsent: "Ihre Sitzung war beendet, und nichts wurde gespeichert. Was Sie eingegeben haben, \
         steht wieder hier, außer Geheimnissen. Prüfen Sie es und senden Sie es noch einmal.",
    as_curl: "Als curl kopieren",
    answer: "Antwort",
    truncated: "Nur die ersten 16 KiB der Antwort werden aufbewahrt.",
    empty_answer: "Die Antwort hatte keinen Inhalt.",
    body_wrapped: "Der Inhalt waren diese Nutzdaten in einem Umschlag.",
    take_example: "Sein Beispiel verwenden",
    test_held: "Diese Verbindung ist pausiert: Das Testereignis wird zurückgehalten, bis Sie sie \
         fortsetzen.",
    code_hint: "Dieser Code passt zu Schema, Algorithmus und Headern dieser Verbindung. Prüfen \
         Sie die rohen Bytes des Inhalts, bevor Ihr Programm sie verarbeitet.",
    start_steps: [
        ("Geben Sie Ihre URL ein", "Die https-Adresse Ihres Servers, der die Anfragen empfängt."),
        (
            "Sie erhalten ein \
          Signaturgeheimnis",
            "Ihr Server prüft damit, dass eine Anfrage von uns \
                                                kommt.",
        ),
        ("Senden Sie ein Testereignis", "Sehen Sie die Anfrage und die Antwort Ihres Servers."),
    ],
    done,
    denied,
    failed_title,
    role,
    number,
    signature_summary,
    secret_name,
    secret_set_by,
    rules_count,
    copy_label,
    cancel_held_title,
    cancel_held_means,
    delete_means,
    attempts_count,
    delivered_count,
    failed_count,
    test_target,
    attempt_title,
    payload_facts,
    failed_message,
    said,
    catalogue: Catalogue {
        event_types: "Ereignistypen",
        none: "Das Produkt hat seine Ereignisse nicht beschrieben.",
        example: "Beispiel der Nutzdaten",
        its_events: "Seine Ereignisse anzeigen",
        heads: [(None, "Ereignis"), (None, "Bedeutung"), (Some("wide"), "Gruppe")],
    },
    changes: Changes {
        title: "Änderungen",
        hint: "Wer in den letzten 400 Tagen was geändert hat, neueste zuerst: Verbindungen, \
             Regeln, Geheimnisse und Einstellungen. Die Werte selbst werden hier nicht \
             aufbewahrt.",
        none: "Noch wurde nichts geändert.",
        heads: [(None, "Was"), (Some("wide"), "Felder"), (None, "Wer"), (None, "Wann")],
        who: changes::who,
        record: changes::record,
        action: changes::action,
    },
    charts: Charts {
        week_title: "Letzte 7 Tage",
        delivered: "Zugestellt",
        failed: "Fehlgeschlagen",
        success: "Erfolg",
        times_title: "Empfänger antwortet in (p50 / p95)",
        as_table: "Als Tabelle anzeigen",
        counted: "Die Tage sind in UTC und die, an denen die Ereignisse angenommen wurden.",
        counted_until: "Gezählt",
        not_counted: "An diesen Tagen wurden keine Zustellungen gezählt. Neue erscheinen hier \
             innerhalb von 15 Minuten.",
        nothing: "In den letzten 7 Tagen wurde nichts gesendet",
        heads: ["Tag", "Zugestellt", "Fehlgeschlagen", "Erfolg"],
        week: charts::week,
        percent: charts::percent,
        times: charts::times,
        date: charts::date,
        day_title: "Letzte 24 Stunden",
        newest_title: charts::newest_title,
        newest_of_each: charts::newest_of_each,
        day: charts::day,
    },
    connection: Connection {
        language: "Sprache des Codes",
        working: "Funktioniert.",
        last_delivered: "Das zuletzt zugestellte Ereignis ist vom",
        none_delivered: "Keine der Zustellungen unten ist angekommen.",
        last_answer: "Letzten Versuch ansehen",
        try_now: "Jetzt versuchen",
        waiting_title: "Wartend",
        filter: "Nach Status und Datum filtern",
        recover: "Viele erneut senden",
        none_found: "Keine Zustellung auf dieser Seite passt. Ändern Sie den Filter oder sehen Sie \
             ältere an.",
        fingerprint: "Fingerabdruck",
        fingerprint_hint: "Ein Fingerabdruck ist der Anfang des SHA-256-Hashs eines \
             Geheimnisses. Vergleichen Sie ihn mit dem Fingerabdruck des Geheimnisses, das Ihr \
             Server verwendet: printf %s \"$SECRET\" | sha256sum",
        since: "Angenommen seit (UTC)",
        until: "Angenommen bis (UTC)",
        heads: [
            (None, "Ereignis"),
            (None, "Ergebnis"),
            (Some("wide"), "Versuche"),
            (Some("wide"), "Nächster"),
            (None, "Angenommen"),
            (None, ""),
        ],
        waiting: connection::waiting,
        held: connection::held,
    },
    filter: Filter {
        hint: "Nur Ereignisse, deren Nutzdaten zum Filter passen, werden gesendet. Für alle leer \
             lassen.",
        join: "Ein Ereignis wird gesendet, wenn",
        path: "Pfad in den Nutzdaten",
        path_example: "order.total",
        comparison: "Vergleich",
        value: "Wert",
        value_hint: "7, true, false und null gelten nicht als Text. Um mit dem Text 7 zu \
             vergleichen, geben Sie \"7\" ein.",
        as_json: "Als JSON schreiben",
        as_json_hint: "Dieses JSON ersetzt die Bedingungen oben.",
        try_it: "An den letzten Ereignissen ausprobieren",
        nothing_to_try: "Es gibt kein Ereignis mit diesem Namen zum Ausprobieren und kein \
             Beispiel.",
        passes: "wird gesendet",
        fails: "wird nicht gesendet",
        example: "Das Beispiel dieses Ereignisses",
        unknown: "Es gab noch kein Ereignis mit diesem Namen. Prüfen Sie die Schreibweise.",
        saved_unknown: "Gespeichert. Es gab noch kein Ereignis mit diesem Namen, und er steht \
             nicht in der Liste der Ereignistypen: Prüfen Sie die Schreibweise.",
        too_costly: "Der Filter ist für diese Nutzdaten zu aufwendig.",
        unmet_or: "keine der Bedingungen in \"or\"",
        unmet_not: "die Bedingung in \"not\" ist erfüllt",
        unread: "Er kann nicht gelesen werden.",
        joins: [("and", "alle Bedingungen gelten"), ("or", "mindestens eine Bedingung gilt")],
        comparisons: [
            ("eq", "ist"),
            ("ne", "ist nicht"),
            ("gt", "ist mehr als"),
            ("lt", "ist weniger als"),
            ("starts_with", "beginnt mit"),
            ("in", "ist eines von (a, b, c)"),
            ("exists", "ist vorhanden"),
            ("absent", "ist nicht vorhanden"),
        ],
        condition: filter::condition,
        unmet: filter::unmet,
        passed: filter::passed,
        edit_rule: filter::edit_rule,
    },
    foreign: Foreign {
        title: "Diese Seite darf hier nicht gezeigt werden",
        this_origin: "dem Ursprung der Seite um diesen Rahmen",
        how_to_allow: "Fügen Sie ihn zu allowed_origins in POST /api/v1/sessions hinzu, oder \
             einmal für alle Sitzungen in PATCH /api/v1/organization. Die Start-URL kann noch \
             verwendet werden.",
        body: foreign::body,
    },
    form: Form {
        none: "Keine",
        orderings: [
            ("none", "So schnell wie möglich: Ein Fehler hält spätere Ereignisse nicht auf"),
            (
                "strict",
                "Streng: Ein Ereignis wird erst gesendet, wenn alle früheren zugestellt, \
                        fehlgeschlagen oder abgebrochen sind",
            ),
        ],
        new_secret: [("generate", "Eines für mich erzeugen"), ("own", "Ich habe eines")],
        changed_secret: [
            ("keep", "Das jetzige Geheimnis behalten"),
            ("generate", "Jetzt durch ein erzeugtes ersetzen"),
            ("own", "Jetzt durch mein eigenes ersetzen"),
        ],
        overlaps: [
            ("0", "Gar nicht: Nur das neue Geheimnis wird verwendet"),
            ("3600", "1 Stunde"),
            ("86400", "1 Tag"),
            ("259200", "3 Tage"),
            ("604800", "7 Tage"),
        ],
        action: "Aktion",
        show_fields: "Ihre Felder anzeigen",
        choose: "Bitte wählen",
        load_list: "Liste laden",
        reload_list: "Liste neu laden",
        list_not_read: "Laden Sie die Liste, um daraus zu wählen, oder geben Sie eine ID ein.",
        paths: "Felder, die Sie verwenden können, aus dem Beispiel dieses Ereignisses:",
        preview: "Vorschau",
        would_send: "Für das Beispiel dieses Ereignisses:",
        error: form::error,
        no_step: form::no_step,
        registry: form::registry,
        field: form::field,
    },
    history: History {
        updated: "Die Seite wurde aktualisiert.",
        attempt: "Versuch",
        no_attempt: "Hier sehen Sie Anfrage und Antwort jedes Versuchs.",
        answer_headers: "Header der Antwort",
        request_headers: "Header der Anfrage",
        body_is_payload: "Der Inhalt sind die Nutzdaten unten, Byte für Byte.",
        verify: "Diese Signatur prüfen",
        verify_hint: "Auf einer eigenen Seite, mit dem Geheimnis, das Ihr Server verwendet. Das \
             Geheimnis verlässt diese Seite nie.",
        exact: "Genaue Bytes",
        status: "Antwort",
        took: "Dauer",
        answer_body: "Inhalt der Antwort",
        another_body: "(anders)",
        copy_body: "Inhalt der Anfrage",
        copy_headers: "Header der Anfrage",
        copy_curl: "curl-Befehl",
        copy_answer: "Inhalt der Antwort",
        copy_message: "Nachrichten-ID",
        of_attempts: history::of_attempts,
        compared_with: history::compared_with,
    },
    mapping: Mapping {
        title: "Feldzuordnung",
        hint: "Woher die Werte einer Person kommen, wenn ein Ereignis gesendet wird. Das gilt \
             für alle Regeln dieser Verbindung. Ein Feld mit leerem Wert wird nicht gesendet.",
        generated: "Noch ist nichts gespeichert: Das sind die Namen, die in Daten üblich sind.",
        own_field: "Weiteres Feld",
        own_name: "Name des Feldes",
        own_hint: "Der Name, den die Integration verwendet, etwa der Schlüssel eines eigenen \
             Feldes. Um das Feld zu entfernen, leeren Sie Namen und Wert.",
        required: "Nötig: Ohne diesen Wert kann nichts gesendet werden.",
        source: "Kommt aus",
        value: "Pfad oder Wert",
        changes: "Wert ändern",
        step: "Änderung",
        argument: "Mit",
        argument_hint: "Je nach Änderung: der andere Wert, die Zeitzone (UTC oder +02:00) oder \
             das erste Zeichen und die Zahl der Zeichen (0,5).",
        on_error: "Wenn es keinen brauchbaren Wert gibt",
        more: "Weitere Zeilen anzeigen",
        sources: [("path", "einem Pfad in den Daten"), ("literal", "einem festen Wert")],
        steps: [
            ("", "keine"),
            ("to_string", "in Text umwandeln"),
            ("to_number", "in eine Zahl umwandeln"),
            ("to_boolean", "in wahr oder falsch umwandeln"),
            ("to_date", "in ein Datum umwandeln"),
            ("to_datetime", "in ein Datum mit Uhrzeit umwandeln"),
            ("default", "anderen Wert verwenden, wenn keiner da ist"),
            ("trim", "Leerzeichen davor und danach entfernen"),
            ("lower", "kleinschreiben"),
            ("upper", "großschreiben"),
            ("substring", "einen Teil davon verwenden"),
        ],
        on_errors: [
            ("skip_field", "das Feld weglassen"),
            ("warn_action", "das Feld weglassen und es beim Versuch vermerken"),
            ("fail_action", "nichts senden: Die Zustellung schlägt fehl"),
        ],
    },
    moments: Moments {
        now: "jetzt",
        days: "Tagen",
        past: "vor *",
        exact: moments::exact,
        to_the_second: moments::to_the_second,
        bound: moments::bound,
        duration: moments::duration,
        seconds: moments::seconds,
    },
    replay: Replay {
        failed: "Fehlgeschlagen",
        failed_hint: "Zustellungen ohne weitere Versuche, neueste zuerst. Beheben Sie die Ursache \
             und senden Sie sie dann erneut: mit denselben Nachrichten-IDs und neuen Signaturen.",
        none_failed: "Keine fehlgeschlagenen Zustellungen.",
        none_failed_hint: "Eine Zustellung wird tagelang wiederholt, bevor sie als fehlgeschlagen \
             gilt. Fehlgeschlagene Zustellungen erscheinen hier und können erneut gesendet \
             werden.",
        no_more_failed: "Es gibt keine älteren.",
        none_of_resource: "Keines dieser Ereignisse ist fehlgeschlagen. Sehen Sie ältere an.",
        all_connections: "Alle Verbindungen",
        send_many: "Viele erneut senden",
        send_many_hint: "Wählen Sie, welche Zustellungen der Ereignisse, die in einem Zeitraum \
             angenommen wurden, erneut gesendet werden. Sie sehen ihre Zahl, bevor etwas gesendet \
             wird.",
        event_or_all: "Für alle leer lassen.",
        count: "Zählen",
        nothing_chosen: "In diesem Zeitraum gibt es keine solchen Zustellungen.",
        no_time: "muss Datum und Uhrzeit sein, etwa 2026-01-31 08:00",
        preview: "Diese erneut senden?",
        count_changed: "Die Zahl hat sich geändert, deshalb wurde noch nichts gesendet. Bitte \
             prüfen Sie noch einmal:",
        same_ids: "Jede behält ihre Nachrichten-ID, damit Ihr Server erkennt, was er schon hat, \
             und bekommt eine neue Signatur.",
        held_meanwhile: "Zustellungen an eine pausierte Verbindung werden zurückgehalten, bis sie \
             fortgesetzt wird.",
        can_be_stopped: "Sie können den Fortschritt verfolgen und jederzeit anhalten.",
        replay: "Nachsendung",
        replays: "Nachsendungen",
        replays_hint: "Jedes Mal, wenn jemand viele Zustellungen erneut gesendet hat.",
        no_replays: "Noch hat niemand viele Zustellungen erneut gesendet.",
        stop: "Anhalten",
        ended: "Beendet",
        range_title: "Angenommen",
        replayed: "Zustellungen",
        asked_by_title: "Gestartet durch",
        what_came_of_it: "Ergebnis",
        to_deliveries: "Die Zustellungen der Verbindung",
        to_events: "Die Ereignisse",
        still_failed: "Fehlgeschlagene Zustellungen",
        which_words: [
            ("failed", "die fehlgeschlagen sind"),
            ("canceled", "die abgebrochen wurden"),
            ("completed", "die zugestellt wurden, noch einmal"),
            ("missing", "die fehlen: Die heutigen Regeln passen, und nichts wurde gesendet"),
        ],
        heads: [
            (None, "Ereignis"),
            (Some("wide"), "Verbindung"),
            (None, "Warum"),
            (Some("wide"), "Versuche"),
            (Some("wide"), "Angenommen"),
            (None, ""),
        ],
        deliveries: replay::deliveries,
        confirm: replay::confirm,
        pace: replay::pace,
        range: replay::range,
        progress: replay::progress,
        status_told: replay::status_told,
        status: replay::status,
        by_person: "eine Person auf dieser Seite",
        by_api: "die API",
    },
    search: Search {
        event_example: "order.paid oder order.*",
        more: "Weitere Filter und Export",
        since: "Angenommen seit (UTC)",
        until: "Angenommen bis (UTC)",
        export_hint: "Eine Datei hat eine Zeile für jede Zustellung der neuesten 10.000 \
             Ereignisse, die passen. Gibt es mehr, beginnt ihre letzte Zeile mit next_cursor: \
             Wählen Sie ein früheres Ende des Zeitraums, um die älteren zu erhalten.",
        lagging: "Einige der neuesten Ereignisse sind vielleicht noch nicht zu sehen. \
            Sie wurden angenommen und erscheinen hier bald.",
        newest: "Neueste",
        formats: [("csv", "Als CSV exportieren"), ("jsonl", "Als JSON-Zeilen exportieren")],
        heads: [
            (None, "Ereignis"),
            (Some("wide"), "Verbindungen"),
            (None, "Status"),
            (None, "Angenommen"),
        ],
        and_more: search::and_more,
    },
    why: Why {
        state: why::state,
        status: why::status,
        outcome: why::outcome,
        reason: why::reason,
        inactive: why::inactive,
        held_back: why::held_back,
        warned: why::warned,
        mismatch: why::mismatch,
        newest_attempts: why::newest_attempts,
        diagnosis: why::diagnosis,
        diagnosis_elsewhere: why::diagnosis_elsewhere,
        repair: why::repair,
    },
};

/// What was just done, by the word in the address of the page.
fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Gespeichert.",
        "saved-unknown" => TEXTS.filter.saved_unknown,
        "deleted" => "Gelöscht.",
        "paused" => "Pausiert. Neue Ereignisse werden zurückgehalten, bis Sie fortsetzen.",
        "resumed" => {
            "Fortgesetzt. Zurückgehaltene Zustellungen werden jetzt gesendet, älteste zuerst."
        }
        "resumed-canceled" => "Fortgesetzt. Die zurückgehaltenen Zustellungen wurden abgebrochen.",
        "rotated" => "Geheimnis erneuert. Neue Anfragen werden damit signiert.",
        "rotated-already" => "Das Geheimnis war schon erneuert. Nichts wurde geändert.",
        "overlap-ended" => "Die alten Geheimnisse werden nicht mehr verwendet.",
        "retried" => "Es wird jetzt erneut gesendet.",
        "replay-stopped" => "Nachsendung angehalten.",
        "canceled" => "Abgebrochen.",
        "test-sent" => "Testereignis gesendet.",
        _ => return None,
    })
}

/// Why a session may not do something.
fn denied(denied: Denied) -> &'static str {
    match denied {
        Denied::OutOfReach => "Diese Sitzung darf das nicht zeigen.",
        Denied::NeedsAdmin => "Dafür ist die Rolle Admin oder Owner nötig.",
        Denied::NeedsScope => "Dafür ist die Berechtigung events.payload:read nötig.",
    }
}

/// The title of an error's page.
fn failed_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "Seite nicht gefunden",
        Kind::Forbidden => "Nicht erlaubt",
        Kind::TooEarly => "Noch nicht",
        Kind::RateLimited => "Zu viele Anfragen",
        Kind::Unavailable | Kind::Internal => "Etwas ist schiefgegangen",
        _ => "Das hat nicht funktioniert",
    }
}

/// What an error's page says. What only the API has words for stands there as it says it.
fn failed_message(kind: Kind, message: &str) -> String {
    let said = match kind {
        Kind::NotFound => "Das gibt es hier nicht oder nicht mehr.",
        Kind::RateLimited => "Bitte warten Sie einen Moment und versuchen Sie es dann noch einmal.",
        Kind::Unavailable | Kind::Internal => {
            "Das lag nicht an Ihnen. Bitte versuchen Sie es in einem Moment noch einmal."
        }
        _ => return self::said(message),
    };
    said.to_owned()
}

/// A sentence that the API or a destination says in English.
fn said(text: &str) -> String {
    translated(SENTENCES, text).unwrap_or_else(|| text.to_owned())
}

/// What the API and the destinations say, each with its German.
const SENTENCES: &[Sentence] = &[
    ("&; its body could not be read: &", "&; der Inhalt war nicht zu lesen: &"),
    (
        "Answered *, a redirect to *; redirects are not followed",
        "Antwort *, eine Weiterleitung zu *; ihr wird nicht gefolgt",
    ),
    (
        "Answered *, which accepts nothing and names no other place",
        "Antwort *, die nichts annimmt und keinen anderen Ort nennt",
    ),
    ("Answered *", "Antwort *"),
    (
        "Status * of the network in front of the receiver: &",
        "Status * vom Netz vor dem Empfänger: &",
    ),
    ("No answer: &", "Keine Antwort: &"),
    ("No answer", "Keine Antwort"),
    (
        "Timed out before the answer: nothing came within * ms",
        "Zeitüberschreitung vor der Antwort: Innerhalb von * ms kam nichts",
    ),
    (
        "timed out in its body, which was not complete within * ms",
        "Zeitüberschreitung im Inhalt, der nach * ms nicht vollständig war",
    ),
    (
        "it broke off, or is not encoded as its headers say",
        "Er brach ab oder ist nicht so kodiert, wie seine Header sagen",
    ),
    (
        "the receiver's TLS certificate is not valid for this host",
        "Das TLS-Zertifikat des Empfängers gilt nicht für diesen Host",
    ),
    (
        "the receiver does not speak TLS at this port, or the handshake failed",
        "Der Empfänger spricht an diesem Port kein TLS, oder der Handshake schlug fehl",
    ),
    ("the host name does not resolve", "Der Hostname lässt sich nicht auflösen"),
    ("the receiver refused the connection", "Der Empfänger hat die Verbindung abgelehnt"),
    (
        "the connection was refused, or it broke before an answer came",
        "Die Verbindung wurde abgelehnt oder brach ab, bevor eine Antwort kam",
    ),
    (
        "the receiver closed the connection before it answered",
        "Der Empfänger hat die Verbindung geschlossen, bevor er antwortete",
    ),
    ("the receiver could not be reached", "Der Empfänger war nicht erreichbar"),
    (
        "the receiver's server answered something that is not HTTP",
        "Der Server des Empfängers hat etwas geantwortet, das kein HTTP ist",
    ),
    (
        "the receiver's server refused the connection",
        "Der Server des Empfängers hat die Verbindung abgelehnt",
    ),
    (
        "the connection to the receiver's server timed out",
        "Zeitüberschreitung bei der Verbindung zum Server des Empfängers",
    ),
    ("the receiver's server cannot be reached", "Der Server des Empfängers ist nicht erreichbar"),
    (
        "the receiver's server did not answer in time",
        "Der Server des Empfängers hat nicht rechtzeitig geantwortet",
    ),
    (
        "the TLS handshake with the receiver's server failed",
        "Der TLS-Handshake mit dem Server des Empfängers schlug fehl",
    ),
    (
        "the TLS certificate of the receiver's server is not valid",
        "Das TLS-Zertifikat des Servers des Empfängers ist nicht gültig",
    ),
    (
        "the receiver's server could not be asked",
        "Der Server des Empfängers konnte nicht gefragt werden",
    ),
    ("The answer says that it was not accepted", "Die Antwort sagt, dass nichts angenommen wurde"),
    ("The answer says nothing", "Die Antwort sagt nichts"),
    ("Its rule was deleted", "Die Regel wurde gelöscht"),
    ("It says: *", "Das Ziel sagt: *"),
    ("It did not accept this", "Das Ziel hat dies nicht angenommen"),
    ("It is not there any more", "Das Ziel gibt es nicht mehr"),
    ("The payload has nothing at *", "In den Nutzdaten steht nichts bei *"),
    ("The mapping has no value for *: &", "Die Feldzuordnung hat keinen Wert für *: &"),
    ("the payload has nothing at *", "In den Nutzdaten steht nichts bei *"),
    ("its time zone is not known", "Die Zeitzone ist nicht bekannt"),
    ("* is no text", "* ist kein Text"),
    ("* is no number", "* ist keine Zahl"),
    ("* is no true or false", "* ist weder wahr noch falsch"),
    ("* is no date", "* ist kein Datum"),
    ("* is no time", "* ist keine Zeit"),
    ("The message is cut at * characters", "Die Nachricht wurde nach * Zeichen abgeschnitten"),
    ("The title is cut at * characters", "Der Titel wurde nach * Zeichen abgeschnitten"),
    ("The * is cut at * characters", "* wurde nach * Zeichen abgeschnitten"),
    (
        "Discord does not know this webhook any more: it was deleted, or its URL is another",
        "Discord kennt diesen Webhook nicht mehr: Er wurde gelöscht, oder seine URL ist eine \
         andere",
    ),
    (
        "is required: the key does not end with one, such as -us21",
        "fehlt noch: Der Schlüssel endet nicht damit, etwa -us21",
    ),
    (
        "The message is empty: the template gives no text",
        "Die Nachricht ist leer: Die Vorlage ergibt keinen Text",
    ),
    ("The body would be longer than 1 MiB", "Der Inhalt wäre länger als 1 MiB"),
    ("The text is too long to be sent", "Der Text ist zu lang, um gesendet zu werden"),
    ("There is no *: its template gives no text", "* fehlt: Die Vorlage ergibt keinen Text"),
    (
        "There is no e-mail address to send to: * gives nothing",
        "Es gibt keine E-Mail-Adresse, an die gesendet werden kann: * ergibt nichts",
    ),
    ("* does not give one e-mail address to send to", "* ergibt nicht genau eine E-Mail-Adresse"),
    (
        "There is no e-mail address: the payload has no email",
        "Es gibt keine E-Mail-Adresse: In den Nutzdaten fehlt email",
    ),
    (
        "There is no e-mail address: the payload's email is none",
        "Es gibt keine E-Mail-Adresse: email in den Nutzdaten ist keine",
    ),
    ("The sender is no e-mail address", "Der Absender ist keine E-Mail-Adresse"),
    ("The mail has no sender", "Die E-Mail hat keinen Absender"),
    (
        "ActiveCampaign has no field *: its own have numbers",
        "ActiveCampaign hat kein Feld *: Seine eigenen haben Nummern",
    ),
    (
        "Customer.io takes at most 32 KB of one event; the payload is too large",
        "Customer.io nimmt höchstens 32 KB je Ereignis; die Nutzdaten sind zu groß",
    ),
    (
        "The list does not know the contact: HubSpot did not add it",
        "Die Liste kennt den Kontakt nicht: HubSpot hat ihn nicht hinzugefügt",
    ),
    (
        "The connection has no data center, and the key does not end with one",
        "Die Verbindung hat kein Rechenzentrum, und der Schlüssel endet nicht mit einem",
    ),
    ("The field takes a number and not *", "Das Feld nimmt eine Zahl und nicht *"),
    ("The label is none of Pipedrive's", "Dieses Label gibt es in Pipedrive nicht"),
    (
        "There is no channel to send to: no rule names one yet",
        "Es gibt keinen Kanal, in den geschrieben werden kann: Noch keine Regel nennt einen",
    ),
    (
        "There is no * to use: no rule names one yet",
        "Es fehlt noch, was verwendet wird (*): Keine Regel nennt es",
    ),
    (
        "An incoming webhook posts to the channel that it was made for",
        "Ein eingehender Webhook schreibt in den Kanal, für den er gemacht wurde",
    ),
    ("The list is longer than what is shown", "Die Liste ist länger als das, was gezeigt wird"),
    (
        "metadata.auth_token: the word Bearer before it was left out, because every request \
         adds it",
        "metadata.auth_token: Das Wort Bearer davor wurde weggelassen, weil jede Anfrage es \
         hinzufügt",
    ),
    ("Slack says *: the bot needs the scope *", "Slack sagt *: Der Bot braucht die Berechtigung *"),
    ("Slack says *: &", "Slack sagt *: &"),
    ("Slack says *", "Slack sagt *"),
    (
        "the channel is gone, or the bot may not see it",
        "Den Kanal gibt es nicht mehr, oder der Bot darf ihn nicht sehen",
    ),
    ("invite the bot to the channel", "Laden Sie den Bot in den Kanal ein"),
    ("the channel is archived", "Der Kanal ist archiviert"),
    ("the message is too long", "Die Nachricht ist zu lang"),
    ("the message is empty", "Die Nachricht ist leer"),
    (
        "the workspace does not let the bot post there",
        "Der Bot darf in diesem Slack dort nicht schreiben",
    ),
    ("the token is not valid", "Das Token gilt nicht"),
    ("the app was removed from the workspace", "Die App wurde aus diesem Slack entfernt"),
    ("the token has expired", "Das Token ist abgelaufen"),
    (
        "this incoming webhook was removed or switched off",
        "Dieser eingehende Webhook wurde entfernt oder abgeschaltet",
    ),
    (
        "the URL is longer than * characters; use a shorter one",
        "Die URL hat mehr als * Zeichen; nehmen Sie eine kürzere",
    ),
    (
        "the URL contains white space, an invisible or a control character; remove it, or write \
         a space as %20",
        "Die URL enthält Leerraum, ein unsichtbares Zeichen oder ein Steuerzeichen; entfernen \
         Sie es oder schreiben Sie ein Leerzeichen als %20",
    ),
    (
        "the URL contains a backslash; write / or %5C",
        "Die URL enthält einen umgekehrten Schrägstrich; schreiben Sie / oder %5C",
    ),
    (
        "this is not a complete URL; it must look like https://example.com/path",
        "Das ist keine vollständige URL; sie sieht aus wie https://example.com/pfad",
    ),
    ("the URL must begin with https://", "Die URL muss mit https:// beginnen"),
    (
        "the URL contains a user name or password; use the authentication settings instead",
        "Die URL enthält Benutzername oder Passwort; nehmen Sie dafür die Einstellungen der \
         Anmeldung",
    ),
    (
        "the URL contains # and a fragment, which would not be sent; remove it",
        "Die URL enthält # und einen Teil danach, der nicht gesendet würde; entfernen Sie ihn",
    ),
    (
        "port * cannot be used; use 443, 8443 or any from * on",
        "Port * ist nicht möglich; nehmen Sie 443, 8443 oder einen ab *",
    ),
    ("the port is not a number from 1 to 65535", "Der Port ist keine Zahl von 1 bis 65535"),
    (
        "the URL names an IP address; use a host name",
        "Die URL nennt eine IP-Adresse; nehmen Sie einen Hostnamen",
    ),
    (
        "&; use a host name that can be reached from the internet",
        "&; nehmen Sie einen Hostnamen, der aus dem Internet erreichbar ist",
    ),
    (
        "the host name has no dot; use one that can be reached from the internet",
        "Der Hostname hat keinen Punkt; nehmen Sie einen, der aus dem Internet erreichbar ist",
    ),
    (
        "the host name ends with a dot; remove it",
        "Der Hostname endet mit einem Punkt; entfernen Sie ihn",
    ),
    ("the URL's host is not a valid host name", "Der Host der URL ist kein gültiger Hostname"),
    (
        "the host name contains characters that stand for others; write those instead",
        "Der Hostname enthält Zeichen, die für andere stehen; schreiben Sie diese",
    ),
    (
        "the URL leads back to this service; use the address of your own receiver",
        "Die URL führt hierher zurück; nehmen Sie die Adresse Ihres eigenen Servers",
    ),
    (
        "nothing is sent to this host at the moment; ask the product's support",
        "An diesen Host wird zurzeit nichts gesendet; fragen Sie den Support des Produkts",
    ),
    ("names below this one stand for addresses", "Namen unter diesem stehen für Adressen"),
    ("this is a cloud's metadata service", "Das ist der Metadatendienst einer Cloud"),
    (
        "names below * exist only inside Tor (RFC 7686)",
        "Namen unter * gibt es nur in Tor (RFC 7686)",
    ),
    ("names below * never exist (RFC 6761)", "Namen unter * gibt es nie (RFC 6761)"),
    (
        "names below * exist only inside a Kubernetes cluster",
        "Namen unter * gibt es nur in einem Kubernetes-Cluster",
    ),
    (
        "names below * exist only inside a Consul network",
        "Namen unter * gibt es nur in einem Consul-Netz",
    ),
    ("names below * exist only inside a network", "Namen unter * gibt es nur in einem Netz"),
    ("names below * exist only inside a network (*", "Namen unter * gibt es nur in einem Netz (*"),
    ("names below * are no hosts (RFC 3172)", "Namen unter * sind keine Hosts (RFC 3172)"),
    ("localhost is the machine itself (RFC 6761)", "localhost ist der Rechner selbst (RFC 6761)"),
    ("is set by Posthorn", "setzt Posthorn"),
    ("is set by HTTP itself", "setzt HTTP selbst"),
    (
        "is set by proxies on the way, and receivers trust it",
        "setzen Proxys auf dem Weg, und Empfänger vertrauen ihm",
    ),
    ("is set by auth_scheme", "setzt die Anmeldung"),
    ("is for browsers", "ist für Browser"),
    ("describes the body and is set by Posthorn", "beschreibt den Inhalt, und Posthorn setzt ihn"),
    ("must be at most * headers", "dürfen höchstens * Header sein"),
    (
        "must be printable text without control characters, invisible characters and *",
        "muss lesbarer Text ohne Steuerzeichen, unsichtbare Zeichen und * sein",
    ),
    ("must not begin or end with white space", "darf nicht mit Leerraum beginnen oder enden"),
    (
        "may have a * in place of all after a dot, as in order.*, or alone",
        "darf ein * nur statt allem nach einem Punkt haben, wie in order.*, oder allein",
    ),
    ("must have at most * dots before its *", "darf höchstens * Punkte vor dem * haben"),
    (
        "must be * to * characters of A-Z a-z 0-9 . _ : -",
        "darf nur * bis * Zeichen von A-Z a-z 0-9 . _ : - haben",
    ),
    (
        "must be * to * characters and no control characters",
        "muss * bis * Zeichen haben, ohne Steuerzeichen",
    ),
    ("must be * to * bytes", "muss * bis * Bytes haben"),
    ("must be at most * bytes", "darf höchstens * Bytes haben"),
    (
        "is taken by another connection of this workspace, case and white space ignored",
        "ist schon der Name einer anderen Verbindung; Groß- und Kleinschreibung und Leerraum \
         zählen nicht",
    ),
    (
        "the secret begins or ends with white space; remove it",
        "Das Geheimnis beginnt oder endet mit Leerraum; entfernen Sie ihn",
    ),
    (
        "the secret contains a control character, such as a line break; remove it",
        "Das Geheimnis enthält ein Steuerzeichen, etwa einen Zeilenumbruch; entfernen Sie es",
    ),
    (
        "the secret has something before whsec_; leave out what is not part of it, such as \
         quotes, v1, or the name of a variable",
        "Vor whsec_ steht etwas; lassen Sie weg, was nicht zum Geheimnis gehört, etwa \
         Anführungszeichen, v1 oder den Namen einer Variablen",
    ),
    (
        "a secret that begins with whsec_ must go on in standard base64 with padding; for any \
         other text leave whsec_ out",
        "Ein Geheimnis, das mit whsec_ beginnt, muss in üblichem Base64 mit Auffüllung \
         weitergehen; lassen Sie whsec_ bei jedem anderen Text weg",
    ),
    (
        "the base64 behind whsec_ must be of * to * bytes; these are *",
        "Das Base64 hinter whsec_ muss * bis * Bytes ergeben; es sind *",
    ),
    (
        "the secret must have * to * bytes; these are *",
        "Das Geheimnis muss * bis * Bytes haben; es sind *",
    ),
    (
        "needs a new signing_secret, because the stored one does not fit: &",
        "braucht ein neues Geheimnis, weil das gespeicherte nicht passt: &",
    ),
    (
        "is the current secret already; rotate to another one",
        "ist schon das jetzige Geheimnis; nehmen Sie ein anderes",
    ),
    (
        "must be 0 with signing_scheme *, which sends one signature only",
        "geht nicht mit dem Schema *, das nur eine Signatur sendet",
    ),
    ("must be 0 to * seconds (7 days)", "muss 0 bis * Sekunden sein (7 Tage)"),
    (
        "* signing secrets of this connection are valid, the most there can be; rotate with \
         overlap_seconds 0, or wait until an overlap has ended",
        "* Geheimnisse dieser Verbindung werden verwendet, mehr geht nicht; verwenden Sie das \
         alte nicht weiter, oder warten Sie, bis eines nicht mehr verwendet wird",
    ),
    (
        "Requests of this connection are not signed",
        "Anfragen dieser Verbindung werden nicht signiert",
    ),
    (
        "must not be empty together with auth_password",
        "darf nicht leer sein, wenn auch das Passwort leer ist",
    ),
    ("is * with *; leave one of them out", "ist * bei *; lassen Sie eines davon weg"),
    ("must be one of *", "muss eines davon sein: *"),
    ("must be * to *", "muss * bis * sein"),
    ("must be at most * fields", "dürfen höchstens * Felder sein"),
    ("must be at most * transforms", "dürfen höchstens * Änderungen sein"),
    ("a retry schedule has * to * steps, not *", "es sind * bis * Schritte möglich, nicht *"),
    (
        "step * of the retry schedule is * s; a step is * to * s (48 h)",
        "Schritt * ist * s lang; ein Schritt dauert * bis * s (48 h)",
    ),
    ("This is not valid JSON: ~ at line * column *", "ist kein gültiges JSON (Zeile *, Spalte *)"),
    ("is not valid JSON: ~ at line * column *", "ist kein gültiges JSON (Zeile *, Spalte *)"),
    ("This is not valid JSON: ~", "ist kein gültiges JSON"),
    ("is not valid JSON", "ist kein gültiges JSON"),
    ("must be a JSON object, not ~", "muss ein JSON-Objekt sein"),
    ("must be a JSON object", "muss ein JSON-Objekt sein"),
    ("is * bytes; at most * are taken", "hat * Bytes; höchstens * werden angenommen"),
    ("is nested more than * levels deep", "ist tiefer als * Ebenen verschachtelt"),
    ("is nested too deep", "ist zu tief verschachtelt"),
    (
        "is one too many; a filter has at most * conditions",
        "ist eine zu viel; ein Filter hat höchstens * Bedingungen",
    ),
    ("must hold * to * values", "muss * bis * Werte enthalten"),
    ("must be written with at most * characters", "darf mit höchstens * Zeichen geschrieben sein"),
    (
        "must be an object with a path, and, or, or not",
        "muss ein Objekt mit path, and, or oder not sein",
    ),
    ("stands twice in the object", "steht zweimal im Objekt"),
    ("must be a list of conditions", "muss eine Liste von Bedingungen sein"),
    (
        "must have a path, or be one of and, or, not alone",
        "muss path haben oder eines von and, or, not allein sein",
    ),
    ("must have an operator beside its path", "muss neben path einen Vergleich haben"),
    ("must be a list of values", "muss eine Liste von Werten sein"),
    (
        "is sent to this connection by another rule with the same resource, resource_id, \
         metadata and filter; it would be delivered twice",
        "wird schon von einer anderen Regel mit derselben Ressource, Aktion und demselben \
         Filter an diese Verbindung gesendet; es würde zweimal zugestellt",
    ),
    (
        "the workspace has * rules for this event, the most there can be",
        "hat schon * Regeln, mehr geht nicht",
    ),
    (
        "the workspace's filters would be longer than * bytes",
        "Alle Filter zusammen wären länger als * Bytes",
    ),
    (
        "has * connections, the most that it may have",
        "hat * Verbindungen, mehr darf er nicht haben",
    ),
    (
        "An attempt is under way; wait for its outcome",
        "Ein Versuch läuft gerade; warten Sie sein Ergebnis ab",
    ),
    (
        "An attempt is on its way; try again in a minute",
        "Ein Versuch ist unterwegs; versuchen Sie es in einer Minute noch einmal",
    ),
    (
        "The connection is inactive; activate it first",
        "Die Verbindung ist pausiert; setzen Sie sie zuerst fort",
    ),
    ("Nothing waits to be sent on this connection", "Auf dieser Verbindung wartet nichts"),
    (
        "Its connection sends in strict order, and an earlier event is not settled yet: retry \
         or cancel that one first",
        "Die Verbindung sendet in strenger Reihenfolge, und ein früheres Ereignis ist noch \
         offen: Wiederholen Sie es zuerst oder brechen Sie es ab",
    ),
    (
        "The connection of this delivery is inactive; activate it first",
        "Die Verbindung dieser Zustellung ist pausiert; setzen Sie sie zuerst fort",
    ),
    (
        "The connection of this delivery was deleted, so it cannot be sent again",
        "Die Verbindung dieser Zustellung wurde gelöscht, deshalb kann sie nicht erneut \
         gesendet werden",
    ),
    (
        "The delivery was attempted * times, the most there can be; emit the event again",
        "Die Zustellung wurde * Mal versucht, mehr geht nicht; das Produkt muss das Ereignis \
         noch einmal auslösen",
    ),
    (
        "The delivery is held because its connection is inactive; activate that first",
        "Die Zustellung wird zurückgehalten, weil die Verbindung pausiert ist; setzen Sie diese \
         zuerst fort",
    ),
    (
        "The payload of this event was erased, so it cannot be sent again",
        "Die Nutzdaten dieses Ereignisses wurden gelöscht, deshalb kann es nicht erneut \
         gesendet werden",
    ),
    (
        "There is nothing to cancel: what is delivered, failed or canceled stays so",
        "Es gibt nichts abzubrechen: Was zugestellt, fehlgeschlagen oder abgebrochen ist, \
         bleibt so",
    ),
    (
        "more than * deliveries are in this range, and * or more of them are meant; choose a \
         shorter one, or one connection",
        "In diesem Zeitraum sind mehr als * Zustellungen, und * oder mehr davon sind gemeint; \
         wählen Sie einen kürzeren oder eine Verbindung",
    ),
    (
        "* deliveries are in this range, and at most * are taken at once; choose a shorter one, \
         or one connection",
        "In diesem Zeitraum sind * Zustellungen, und höchstens * werden auf einmal gesendet; \
         wählen Sie einen kürzeren oder eine Verbindung",
    ),
    (
        "&; choose a shorter one, or one connection",
        "&; wählen Sie einen kürzeren oder eine Verbindung",
    ),
    ("more than * events are in this range", "In diesem Zeitraum sind mehr als * Ereignisse"),
    (
        "filters would read more than * MiB in this range",
        "In diesem Zeitraum würden Filter mehr als * MiB lesen",
    ),
    (
        "the filters are too costly for the payloads of this range",
        "Die Filter sind für die Nutzdaten dieses Zeitraums zu aufwendig",
    ),
    (
        "is required where a workspace has more than * connections",
        "fehlt: Bei mehr als * Verbindungen wählen Sie eine",
    ),
    ("The body is larger than * bytes", "Das Formular ist größer als * Bytes"),
    ("is not a cursor of this list", "ist keine Stelle dieser Liste"),
];

/// A role.
fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "Mitglied",
        Role::Admin => "Admin",
        Role::Owner => "Owner",
    }
}

/// A number with its thousands apart: `12.904`.
fn number(number: u64) -> String {
    super::grouped(number, '.')
}

/// How a connection signs.
fn signature_summary(signing: &Signing) -> String {
    let algorithm = match signing.algorithm {
        Algorithm::None => return "Anfragen werden nicht signiert.".to_owned(),
        Algorithm::HmacSha256 => "HMAC-SHA-256",
        Algorithm::HmacSha512 => "HMAC-SHA-512",
    };
    match signing.scheme {
        Scheme::Standard => format!("Standard Webhooks, {algorithm}"),
        Scheme::Timestamped => {
            format!("Mit Zeitstempel, {algorithm}, im Header {}", signing.signature_header)
        }
        Scheme::Body => format!("Inhalt, {algorithm}, im Header {}", signing.signature_header),
    }
}

/// Which secret.
fn secret_name(number: u32, is_newest: bool) -> String {
    if is_newest { format!("Geheimnis {number}, aktuell") } else { format!("Geheimnis {number}") }
}

/// Who set a secret.
fn secret_set_by(set_by: SetBy) -> &'static str {
    match set_by {
        SetBy::Given => "eingegeben",
        SetBy::Generated | SetBy::Shown => "erzeugt",
    }
}

/// How many rules.
fn rules_count(count: usize) -> String {
    plural(count, "Regel", "Regeln")
}

/// The name of a button that copies the text with this id, such as `sent-2` of attempt 2.
fn copy_label(id: &str) -> String {
    let (what, number) = match id.rsplit_once('-') {
        Some((what, number)) if number.bytes().all(|b| b.is_ascii_digit()) => (what, number),
        _ => (id, ""),
    };
    let what = match what {
        "sent" => "Header der Anfrage von Versuch",
        "curl" => "curl-Befehl von Versuch",
        "answer" => "Header der Antwort von Versuch",
        "answer-body" => "Inhalt der Antwort von Versuch",
        "message" => "Nachrichten-ID der Regel",
        "event-id" => "Ereignis-ID",
        "url" => "URL",
        "code" => "Code zur Prüfung",
        "payload" => "Nutzdaten",
        other => other,
    };
    let named = format!("{what} {number}");
    format!("{} kopieren", named.trim_end())
}

/// What it means to resume a connection and cancel what it holds.
fn cancel_held_title(count: usize, or_more: bool) -> String {
    let more = or_more_word(or_more);
    let held = if count == 1 { "Zustellung" } else { "Zustellungen" };
    format!("Fortsetzen und {count}{more} zurückgehaltene {held} abbrechen?")
}

/// What becomes of the held deliveries.
fn cancel_held_means(count: usize) -> String {
    let held = match count {
        1 => "Die zurückgehaltene Zustellung wird",
        _ => "Die zurückgehaltenen Zustellungen werden",
    };
    format!(
        "{held} nicht gesendet. Neue Ereignisse werden wie gewohnt gesendet. Abgebrochene \
         Zustellungen können Sie später einzeln erneut senden."
    )
}

/// What is lost when a connection is deleted.
fn delete_means(rules: usize, waiting: usize, or_more: bool) -> String {
    let more = or_more_word(or_more);
    let waiting = match waiting {
        1 => format!("1{more} wartende Zustellung"),
        _ => format!("{waiting}{more} wartende Zustellungen"),
    };
    format!(
        "Das löscht auch {} und bricht {waiting} ab. Was gesendet wurde, bleibt sichtbar. Sie \
             können das nicht rückgängig machen. Um eine Zeit lang anzuhalten, pausieren Sie \
             die Verbindung.",
        rules_count(rules)
    )
}

fn or_more_word(or_more: bool) -> &'static str {
    if or_more { " oder mehr" } else { "" }
}

/// How many attempts.
fn attempts_count(count: u32) -> String {
    plural(count as usize, "Versuch", "Versuche")
}

/// How many of an event's deliveries were delivered.
fn delivered_count(delivered: usize, all: usize) -> String {
    format!("{delivered} von {all} zugestellt")
}

/// How many deliveries of a connection are failed.
fn failed_count(count: usize, or_more: bool) -> String {
    let more = or_more_word(or_more);
    match count {
        1 => format!("1{more} fehlgeschlagene Zustellung."),
        _ => format!("{count}{more} fehlgeschlagene Zustellungen."),
    }
}

/// What a test event goes to.
fn test_target(name: &str) -> String {
    format!("Es wird nur an {name} gesendet und trägt den Header posthorn-test: true.")
}

/// An attempt.
fn attempt_title(number: u32) -> String {
    format!("Versuch {number}")
}

/// What may be told of a payload to who may not read it.
fn payload_facts(bytes: usize) -> String {
    format!("{bytes} Bytes, SHA-256")
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

mod changes {
    use crate::domain::tenants::change::{Action, Author, AuthorKind, RecordKind};

    /// Who made a change.
    pub fn who(author: &Author) -> String {
        let person = author.external_user_id.as_deref();
        match author.kind {
            AuthorKind::MachineKey => "Das Produkt".to_owned(),
            AuthorKind::Session => person.unwrap_or("Eine Person auf dieser Seite").to_owned(),
            AuthorKind::Staff => match person.and_then(|person| person.split_once(':')) {
                Some((_, name)) => format!("Support ({name})"),
                None => "Support".to_owned(),
            },
            AuthorKind::System => "Automatisch".to_owned(),
        }
    }

    /// What kind of record it is.
    pub fn record(kind: RecordKind) -> &'static str {
        match kind {
            RecordKind::Workspace => "Arbeitsbereich",
            RecordKind::Connection => "Verbindung",
            RecordKind::Rule => "Regel",
            RecordKind::EventType => "Ereignistyp",
            RecordKind::Session => "Sitzung des Supports",
            RecordKind::PublishableKey => "Öffentlicher Schlüssel",
            RecordKind::MachineKey => "Maschinenschlüssel",
        }
    }

    /// What was done with it.
    pub fn action(action: Action) -> &'static str {
        match action {
            Action::Created => "angelegt",
            Action::Updated => "geändert",
            Action::Deleted => "gelöscht",
            Action::Activated => "fortgesetzt",
            Action::Deactivated => "pausiert",
            Action::SecretRotated => "Signaturgeheimnis erneuert",
            Action::OverlapEnded => "altes Signaturgeheimnis nicht mehr verwendet",
            Action::Opened => "geöffnet",
            Action::Rotated => "erneuert",
            Action::Revoked => "widerrufen",
        }
    }
}

mod charts {
    use super::number;

    /// A chart of the week in words.
    pub fn week(delivered: u64, failed: u64) -> String {
        let (delivered, failed) = (number(delivered), number(failed));
        format!("Letzte 7 Tage: {delivered} zugestellt, {failed} fehlgeschlagen")
    }

    /// A part in percent, given in hundredths of one.
    pub fn percent(per_10000: Option<u64>) -> String {
        match per_10000 {
            Some(10_000) => "100 %".to_owned(),
            Some(part) => format!("{},{:02} %", part / 100, part % 100),
            None => "–".to_owned(),
        }
    }

    /// The median and the 95th percentile of times in milliseconds.
    pub fn times((median, most): (Option<i64>, Option<i64>)) -> String {
        match (median, most) {
            (Some(median), Some(most)) => format!("{median} / {most} ms"),
            _ => "–".to_owned(),
        }
    }

    /// What the newest deliveries are called.
    pub fn newest_title(most: usize) -> String {
        format!("Neueste {most} Zustellungen")
    }

    /// At how many deliveries of each connection was looked.
    pub fn newest_of_each(most: usize) -> String {
        format!("Bei einer Verbindung mit mehr Zustellungen zählen die neuesten {most}.")
    }

    /// The bar of the last 24 hours. `since` is there where only the newest were looked at.
    pub fn day(counts: (u64, u64, u64), newest: Option<(usize, String)>) -> String {
        let (delivered, failed, open) = counts;
        if delivered + failed + open == 0 {
            return "In den letzten 24 Stunden wurde nichts gesendet".to_owned();
        }
        let about = match newest {
            Some((most, since)) => format!("Die neuesten {most} Zustellungen, seit {since} UTC"),
            None => "Letzte 24 Stunden".to_owned(),
        };
        let (delivered, failed) = (number(delivered), number(failed));
        let counted = format!("{about}: {delivered} zugestellt, {failed} fehlgeschlagen");
        if open == 0 { counted } else { format!("{counted}, {} nicht abgeschlossen", number(open)) }
    }

    /// The date of a day, without its year.
    pub fn date(rfc3339: &str) -> String {
        let part = |range| rfc3339.get(range).unwrap_or_default();
        format!("{}.{}.", part(8..10), part(5..7))
    }
}

mod connection {
    use super::or_more_word;

    /// How many deliveries wait for their next attempt.
    pub fn waiting(count: usize, or_more: bool) -> String {
        let more = or_more_word(or_more);
        match count {
            1 => format!("1{more} Zustellung wartet. Sie geht nicht verloren."),
            _ => format!("{count}{more} Zustellungen warten. Keine geht verloren."),
        }
    }

    /// How many deliveries are held.
    pub fn held(count: usize, or_more: bool) -> String {
        let more = or_more_word(or_more);
        let held = match count {
            1 => format!("1{more} Zustellung wird zurückgehalten. Sie wird"),
            _ => format!("{count}{more} Zustellungen werden zurückgehalten. Sie werden"),
        };
        format!("{held} gesendet, wenn Sie fortsetzen.")
    }
}

mod filter {
    /// One of the conditions.
    pub fn condition(number: usize) -> String {
        format!("Bedingung {number}")
    }

    /// What a payload did not meet.
    pub fn unmet(what: &str) -> String {
        format!("nicht erfüllt: {what}")
    }

    /// How many of those that were tried would be sent.
    pub fn passed(passed: usize, tried: usize) -> String {
        format!("{passed} von {tried} würden gesendet:")
    }

    /// The name of the link to the form of a rule.
    pub fn edit_rule(event: &str) -> String {
        format!("Regel für {event} bearbeiten")
    }
}

mod foreign {
    /// What is wrong.
    pub fn body(origin: &str) -> String {
        format!("Diese Sitzung erlaubt {origin} nicht, sie in einem Rahmen zu zeigen.")
    }
}

mod form {
    use crate::domain::base::error::FieldError;
    use crate::domain::base::reason::Reason;
    use crate::embed::text::said::translated;

    /// What is wrong with a field.
    pub fn error(error: &FieldError) -> Option<String> {
        match &error.why {
            Some(why) => Some(reason(why)),
            None => translated(super::SENTENCES, &error.msg),
        }
    }

    /// Why a field was not taken.
    fn reason(reason: &Reason) -> String {
        match reason {
            Reason::Required
            | Reason::RequiredWith(_)
            | Reason::RequiredInput(..)
            | Reason::NewHeader => "fehlt noch".to_owned(),
            Reason::OneOf(words) => format!("muss eines davon sein: {words}"),
            Reason::WholeNumber => "muss eine ganze Zahl sein".to_owned(),
            Reason::AtLeast(least) => format!("muss mindestens {least} sein"),
            Reason::Chars(most) => format!("muss 1 bis {most} Zeichen haben"),
            Reason::CharsMost(most) => format!("darf höchstens {most} Zeichen haben"),
            Reason::Text => "muss ein Text in Anführungszeichen sein".to_owned(),
            Reason::TrueOrFalse => "muss true oder false sein".to_owned(),
            Reason::NumberOrText => "muss eine Zahl oder ein Text sein".to_owned(),
            Reason::Scalar => "muss ein Text, eine Zahl, true, false oder null sein".to_owned(),
            Reason::Zone => "muss UTC oder eine Abweichung davon sein, etwa +02:00".to_owned(),
            Reason::Path(most) => {
                format!("muss ein Pfad wie user.name sein, mit 1 bis {most} Zeichen")
            }
            Reason::Twice(what) => format!("{what} steht zweimal da"),
            Reason::HeaderName(most) => {
                format!("muss ein Header-Name mit 1 bis {most} Zeichen sein")
            }
            Reason::HeaderValue(most) => {
                format!("muss 1 bis {most} sichtbare ASCII-Zeichen haben, ohne Leerraum am Rand")
            }
            Reason::HeaderTaken(name, why) => {
                format!("muss ein anderer Header sein: {name} {}", super::said(why))
            }
            Reason::HeaderTwice(name) => {
                format!("muss ein anderer Header sein: {name} steht zweimal da")
            }
            Reason::Url(why) => super::said(why),
            Reason::Pattern(told) => registry(told).to_owned(),
            Reason::Half(most) => {
                format!("darf höchstens {most} Bytes haben, ohne Steuerzeichen")
            }
            Reason::Prefix(most) => format!("darf höchstens {most} sichtbare Zeichen haben"),
            Reason::Colon => "darf keinen Doppelpunkt haben".to_owned(),
            Reason::EnterAgain => {
                "muss neu eingegeben werden: Die URL führt zu einem anderen Server".to_owned()
            }
            Reason::Refused(told) => format!("wird nicht angenommen. {}", super::said(told)),
            Reason::Unclosed(at) => {
                format!("Die Klammern ab Zeichen {at} werden nicht geschlossen")
            }
            Reason::NoPath(inside, at) => {
                format!("{{{{{inside}}}}} ab Zeichen {at} ist kein Pfad wie {{{{user.name}}}}")
            }
            Reason::NoFact(inside, at, known) => {
                format!("{{{{{inside}}}}} ab Zeichen {at} gibt es nicht, nur {known}")
            }
            Reason::Backslash(path) => format!("Vor {{{{{path}}}}} steht ein \\"),
            Reason::NoJsonOnceFilled(_) => "ist ausgefüllt kein gültiges JSON".to_owned(),
            Reason::NoJson(_) => super::said(&reason.to_string()),
            Reason::Names => "muss aus Namen mit je einem Punkt dazwischen bestehen, etwa \
                order.total"
                .to_owned(),
            Reason::Escape => "hat ein \\, auf das weder . noch \\ folgt".to_owned(),
            Reason::Operator(words) => format!("ist kein Vergleich; es gibt {words}"),
            Reason::Inexact => {
                "muss eine ganze Zahl oder eine Dezimalzahl mit 15 Stellen sein".to_owned()
            }
            Reason::Shape(told) => super::said(told),
            Reason::Large(told) => super::said(told),
            Reason::EndsBefore => "muss nach dem Beginn liegen".to_owned(),
            Reason::RangeMost(days) => {
                format!("darf höchstens {days} Tage nach dem Beginn liegen")
            }
            Reason::ExactlyOne(_, of) => format!("genau eines davon muss da sein: {of}"),
        }
    }

    /// A step of a retry schedule that cannot be read.
    pub fn no_step(step: &str) -> String {
        format!("{step:?} ist keine Zeit: Schreiben Sie sie wie 30s, 5m oder 2h")
    }

    /// Label and hint of a field.
    pub fn field(name: &str) -> (&'static str, &'static str) {
        match name {
            "name" => ("Name", ""),
            "signing_secret" => {
                ("Ihr Geheimnis", "whsec_ und Base64 oder ein Text von 8 bis 256 Bytes.")
            }
            "timeout_seconds" => {
                ("Zeitlimit", "Sekunden, bis die ganze Antwort angekommen sein muss, 1 bis 25.")
            }
            "retry_schedule" => (
                "Wiederholungen",
                "Die Zeit nach jedem fehlgeschlagenen Versuch, etwa 5s, 30s, 5m, 2h. 1 bis 20 \
                 Schritte.",
            ),
            "ordering" => ("Reihenfolge", ""),
            "max_in_flight" => (
                "Anfragen zugleich",
                "Höchstens so viele, bis 64. Leer lassen für so viele, wie Ihr Server \
                     beantworten kann.",
            ),
            "max_per_second" => {
                ("Anfragen je Sekunde", "Höchstens so viele. Leer lassen für keine Grenze.")
            }
            "overlap" => ("Das alte Geheimnis weiter verwenden für", ""),
            "event" => ("Ereignis", ""),
            "payload" => {
                ("Nutzdaten", "Ein JSON-Objekt. Es wird genau so gesendet, wie es hier steht.")
            }
            "connection" => ("Verbindung", ""),
            "status" => ("Zustellungen", ""),
            "since" => ("Angenommen seit", "In UTC."),
            "until" => ("Angenommen bis", "In UTC. Höchstens 14 Tage später."),
            "resource" => ("Ressource", "Etwa order. Für alle leer lassen."),
            "resource_id" => ("Ressourcen-ID", "Für alle leer lassen."),
            "filter" => {
                ("Filter", "Etwa {\"path\": \"order.total\", \"gt\": 100}. Für alle leer lassen.")
            }
            _ => ("", ""),
        }
    }

    /// A text of the destinations' fields and actions; what has no words here stays as it is.
    pub fn registry(text: &str) -> &str {
        REGISTRY.iter().find(|(english, _)| *english == text).map_or(text, |(_, german)| german)
    }

    /// Texts of the destinations' fields and actions, each with its German.
    const REGISTRY: &[(&str, &str)] = &[
        ("A header of your choice", "Ein Header Ihrer Wahl"),
        (
            "must be an incoming webhook's URL, https://hooks.slack.com/services/...",
            "muss die URL eines eingehenden Webhooks sein, https://hooks.slack.com/services/...",
        ),
        (
            "must be a bot token, which begins with xoxb-",
            "muss ein Bot-Token sein, das mit xoxb- beginnt",
        ),
        (
            "must be 1 to 1024 printable ASCII characters without spaces",
            "muss 1 bis 1024 sichtbare ASCII-Zeichen ohne Leerzeichen haben",
        ),
        (
            "must be the account's API URL, such as https://acme.api-us1.com",
            "muss die API-URL des Kontos sein, etwa https://acme.api-us1.com",
        ),
        (
            "must be a webhook's URL, https://discord.com/api/webhooks/...",
            "muss die URL eines Webhooks sein, https://discord.com/api/webhooks/...",
        ),
        ("must be such as us21", "muss etwa us21 sein"),
        (
            "A template, such as {\"text\": \"{{user.name}} has signed up\"}. Left empty, the \
             payload is sent.",
            "Eine Vorlage, etwa {\"text\": \"{{user.name}} hat sich angemeldet\"}. Bleibt sie \
             leer, werden die Nutzdaten gesendet.",
        ),
        (
            "A text, one of the property's options, or such as {{plan}}.",
            "Ein Text, eine der Möglichkeiten der Eigenschaft, oder etwa {{plan}}.",
        ),
        (
            "A text, the id of one of the field's options, or such as {{plan}}.",
            "Ein Text, die ID einer Möglichkeit des Feldes, oder etwa {{plan}}.",
        ),
        ("API URL", "API-URL"),
        ("API key", "API-Schlüssel"),
        ("API token", "API-Token"),
        ("Access token", "Zugriffstoken"),
        ("Add label", "Label hinzufügen"),
        ("Add tag", "Tag hinzufügen"),
        ("Add to audience", "Zur Zielgruppe hinzufügen"),
        ("Add to group", "Zur Gruppe hinzufügen"),
        ("Add to list", "Zur Liste hinzufügen"),
        ("Add to segment", "Zum Segment hinzufügen"),
        ("Algorithm", "Algorithmus"),
        ("Audience", "Zielgruppe"),
        ("Australia", "Australien"),
        ("Authentication", "Anmeldung"),
        (
            "Begins with SG. Permissions: Mail Send; Template Engine (read) for templates.",
            "Beginnt mit SG. Berechtigungen: Mail Send, für Vorlagen auch Template Engine (lesen).",
        ),
        (
            "Begins with pat-. Scopes: contacts and lists, read and write.",
            "Beginnt mit pat-. Berechtigungen: Kontakte und Listen, lesen und schreiben.",
        ),
        (
            "Begins with re_. Segments need a key with full access.",
            "Beginnt mit re_. Segmente brauchen einen Schlüssel mit vollem Zugriff.",
        ),
        (
            "Begins with xoxb-. Posts to any channel that the bot is in.",
            "Beginnt mit xoxb-. Schreibt in jeden Kanal, in dem der Bot ist.",
        ),
        ("Body", "Inhalt"),
        ("Body: a plain HMAC of the body", "Inhalt: ein einfacher HMAC des Inhalts"),
        ("Bot token", "Bot-Token"),
        ("Channel", "Kanal"),
        ("Create or update contact", "Kontakt anlegen oder ändern"),
        ("Create or update person", "Person anlegen oder ändern"),
        ("Creates or updates the contact", "Legt den Kontakt an oder ändert ihn"),
        (
            "Creates or updates the contact and adds it to a list",
            "Legt den Kontakt an oder ändert ihn und fügt ihn zu einer Liste hinzu",
        ),
        (
            "Creates or updates the contact and adds it to a segment",
            "Legt den Kontakt an oder ändert ihn und fügt ihn zu einem Segment hinzu",
        ),
        (
            "Creates or updates the contact and gives it a tag",
            "Legt den Kontakt an oder ändert ihn und gibt ihm ein Tag",
        ),
        (
            "Creates or updates the contact and sets one of its properties",
            "Legt den Kontakt an oder ändert ihn und setzt eine seiner Eigenschaften",
        ),
        (
            "Creates or updates the contact and subscribes it to a list",
            "Legt den Kontakt an oder ändert ihn und meldet ihn bei einer Liste an",
        ),
        (
            "Creates or updates the contact and subscribes it to an audience",
            "Legt den Kontakt an oder ändert ihn und meldet ihn bei einer Zielgruppe an",
        ),
        ("Creates or updates the person", "Legt die Person an oder ändert sie"),
        (
            "Creates or updates the person and adds the event to it",
            "Legt die Person an oder ändert sie und fügt ihr das Ereignis hinzu",
        ),
        (
            "Creates or updates the subscriber and adds it to a group",
            "Legt den Abonnenten an oder ändert ihn und fügt ihn zu einer Gruppe hinzu",
        ),
        (
            "Creates the person or finds it, and gives it a label",
            "Legt die Person an oder findet sie und gibt ihr ein Label",
        ),
        (
            "Creates the person or finds it, and sets one of its fields",
            "Legt die Person an oder findet sie und setzt eines ihrer Felder",
        ),
        ("Custom headers", "Eigene Header"),
        ("DELETE, without a body", "DELETE, ohne Inhalt"),
        ("Data center", "Rechenzentrum"),
        ("E-mail", "E-Mail"),
        ("Encoding", "Schreibweise"),
        ("Ends with the data center, such as -us21.", "Endet mit dem Rechenzentrum, etwa -us21."),
        ("Event name", "Name des Ereignisses"),
        ("External id", "Externe ID"),
        ("Field", "Feld"),
        ("First name", "Vorname"),
        ("Form", "Formular"),
        ("From", "Von"),
        (
            "From Integrations, API. Accounts of MailerLite Classic have another API.",
            "Unter Integrations, API. Konten von MailerLite Classic haben eine andere API.",
        ),
        ("From Personal preferences, API.", "Unter Personal preferences, API."),
        ("From Settings, Developer.", "Unter Settings, Developer."),
        ("GET, without a body", "GET, ohne Inhalt"),
        ("Group", "Gruppe"),
        ("Hexadecimal", "Hexadezimal"),
        ("IP address", "IP-Adresse"),
        ("IP address at sign-up", "IP-Adresse bei der Anmeldung"),
        ("Id of the person", "ID der Person"),
        (
            "In Discord: the channel's settings, Integrations, Webhooks.",
            "In Discord: Einstellungen des Kanals, Integrationen, Webhooks.",
        ),
        ("Incoming webhook URL", "URL des eingehenden Webhooks"),
        ("Last name", "Nachname"),
        (
            "Left out, it is the event's own name.",
            "Bleibt es leer, ist es der Name des Ereignisses.",
        ),
        ("List", "Liste"),
        (
            "Lists that fill themselves are left out: nobody can be added to them.",
            "Listen, die sich selbst füllen, fehlen: Ihnen kann niemand hinzugefügt werden.",
        ),
        ("Message", "Nachricht"),
        ("Method", "Methode"),
        ("None", "Keine"),
        ("None: not signed", "Keiner: nicht signiert"),
        (
            "Of an app of yours in Intercom's Developer Hub: Authentication.",
            "Von einer eigenen App im Developer Hub von Intercom: Authentication.",
        ),
        (
            "Of the integration Customer.io API, in Integrations.",
            "Von der Integration Customer.io API, unter Integrations.",
        ),
        (
            "One address. Left out, it is the payload's email: {{email}}",
            "Eine Adresse. Bleibt sie leer, ist es email aus den Nutzdaten: {{email}}",
        ),
        ("Only if the key does not end with it.", "Nur, wenn der Schlüssel nicht damit endet."),
        ("Password", "Passwort"),
        ("Phone", "Telefon"),
        ("Pipelines API key", "API-Schlüssel der Pipelines"),
        ("Posts a message to a channel", "Schreibt eine Nachricht in einen Kanal"),
        ("Posts a message to the channel", "Schreibt eine Nachricht in den Kanal"),
        (
            "Posts to the one channel it was made for. Or enter a bot token instead.",
            "Schreibt in den einen Kanal, für den sie gemacht wurde. Oder geben Sie ein Bot-Token \
             ein.",
        ),
        ("Prefix", "Präfix"),
        ("Preset", "Voreinstellung"),
        ("Private app token", "Token einer privaten App"),
        ("Property", "Eigenschaft"),
        ("Receivers that check X-Meshes-Signature", "Empfänger, die X-Meshes-Signature prüfen"),
        ("Remove from audience", "Aus der Zielgruppe entfernen"),
        ("Remove from group", "Aus der Gruppe entfernen"),
        ("Remove from list", "Aus der Liste entfernen"),
        ("Remove from segment", "Aus dem Segment entfernen"),
        ("Remove label", "Label entfernen"),
        ("Remove tag", "Tag entfernen"),
        ("Scheme", "Schema"),
        ("Send e-mail", "E-Mail senden"),
        ("Send e-mail template", "E-Mail-Vorlage senden"),
        ("Send message", "Nachricht senden"),
        ("Send request", "Anfrage senden"),
        ("Send webhook", "Webhook senden"),
        ("HTTP request", "HTTP-Anfrage"),
        ("Sends a dynamic template of SendGrid", "Sendet eine dynamische Vorlage von SendGrid"),
        ("Sends a mail that is written here", "Sendet eine E-Mail, die hier geschrieben wird"),
        ("Sends a published template of Resend", "Sendet eine veröffentlichte Vorlage von Resend"),
        ("Sends a request with a body of your own", "Sendet eine Anfrage mit Ihrem eigenen Inhalt"),
        (
            "Sends the event's payload to the connection's URL, signed",
            "Sendet die Nutzdaten des Ereignisses signiert an die URL der Verbindung",
        ),
        (
            "Sets algorithm, scheme and header below as those receivers expect them.",
            "Setzt Algorithmus, Schema und Header unten so, wie diese Empfänger sie erwarten.",
        ),
        ("Signature header", "Header der Signatur"),
        (
            "Standard Webhooks: id, timestamp and body (recommended)",
            "Standard Webhooks: ID, Zeitstempel und Inhalt (empfohlen)",
        ),
        ("Subject", "Betreff"),
        ("Such as Acme <hello@acme.example>", "Etwa Acme <hello@acme.example>"),
        ("Such as X-Api-Key.", "Etwa X-Api-Key."),
        ("Such as: <p>Hello {{first_name}}</p>", "Etwa: <p>Hallo {{first_name}}</p>"),
        ("Such as: Your order {{id}} is on its way", "Etwa: Ihre Bestellung {{id}} ist unterwegs"),
        ("Such as: {{user.name}} has signed up.", "Etwa: {{user.name}} hat sich angemeldet."),
        ("Takes a label from the person", "Nimmt der Person ein Label"),
        ("Takes a tag from the contact", "Nimmt dem Kontakt ein Tag"),
        ("Takes the contact out of a list", "Nimmt den Kontakt aus einer Liste"),
        ("Takes the contact out of a segment", "Nimmt den Kontakt aus einem Segment"),
        ("Takes the subscriber out of a group", "Nimmt den Abonnenten aus einer Gruppe"),
        ("Template", "Vorlage"),
        (
            "Text before the signature, such as sha256=. May be empty.",
            "Text vor der Signatur, etwa sha256=. Darf leer sein.",
        ),
        ("The payload in an envelope", "Die Nutzdaten in einem Umschlag"),
        ("The payload, byte for byte", "Die Nutzdaten, Byte für Byte"),
        ("Timestamp header", "Header der Zeit"),
        (
            "Timestamped: timestamp and body, t=...,v1=...",
            "Mit Zeitstempel: Zeitstempel und Inhalt, t=...,v1=...",
        ),
        ("Title", "Titel"),
        ("To", "An"),
        ("Track event", "Ereignis erfassen"),
        ("US", "USA"),
        ("Unsubscribes the contact from a list", "Meldet den Kontakt von einer Liste ab"),
        ("Unsubscribes the contact from an audience", "Meldet den Kontakt von einer Zielgruppe ab"),
        ("Update field", "Feld ändern"),
        ("Update property", "Eigenschaft ändern"),
        ("User name", "Benutzername"),
        ("User name and password (Basic)", "Benutzername und Passwort (Basic)"),
        ("Value", "Wert"),
        ("Webhook URL", "Webhook-URL"),
    ];
}

mod history {
    /// Which attempt of how many it is.
    pub fn of_attempts(number: u32, of: u32) -> String {
        format!("Versuch {number} von {of}")
    }

    /// Above what is different from an earlier attempt.
    pub fn compared_with(number: u32) -> String {
        format!("Verglichen mit Versuch {number}")
    }
}

mod moments {
    use crate::domain::base::time::{MINUTE_MS, SECOND_MS, rfc3339};

    /// An exact moment: `02.01.2026, 03:04:05,678 UTC`.
    pub fn exact(rfc3339: &str) -> String {
        let time = rfc3339.get(11..).unwrap_or_default().trim_end_matches('Z');
        format!("{}, {} UTC", day(rfc3339), time.replace('.', ","))
    }

    /// A moment without its milliseconds, such as `28.11.2026, 12:26:03 UTC`.
    pub fn to_the_second(rfc3339: &str) -> String {
        format!("{}, {} UTC", day(rfc3339), rfc3339.get(11..19).unwrap_or_default())
    }

    fn day(rfc3339: &str) -> String {
        let part = |range| rfc3339.get(range).unwrap_or_default();
        format!("{}.{}.{}", part(8..10), part(5..7), part(0..4))
    }

    /// The beginning of a range of time, or its end, as exactly as it was given.
    pub fn bound(at_ms: i64) -> String {
        let exact = exact(&rfc3339(at_ms));
        if at_ms % MINUTE_MS == 0 { exact.replace(":00,000", "") } else { exact }
    }

    /// A duration.
    pub fn duration(ms: i64) -> String {
        if ms < SECOND_MS {
            format!("{ms} ms")
        } else {
            format!("{},{} s", ms / 1_000, ms % 1_000 / 100)
        }
    }

    /// Seconds.
    pub fn seconds(seconds: u32) -> String {
        format!("{seconds} s")
    }
}

mod replay {
    use crate::domain::base::limits::{REPLAY_STEP, REPLAY_STEP_S};
    use crate::domain::delivery::replay::Status;

    /// How many deliveries a replay is about.
    pub fn deliveries(count: usize) -> String {
        super::plural(count, "Zustellung", "Zustellungen")
    }

    /// The button that confirms a replay.
    pub fn confirm(count: usize) -> String {
        format!("{} erneut senden", deliveries(count))
    }

    /// How long a replay takes.
    pub fn pace(count: usize) -> String {
        let seconds = (count.saturating_sub(1) / REPLAY_STEP) as u32 * REPLAY_STEP_S;
        let length = match seconds {
            0 => return "Sie werden jetzt gesendet, älteste zuerst.".to_owned(),
            below if below < 60 => format!("{below} s"),
            seconds => format!("{} min", seconds / 60 + 1),
        };
        format!(
            "Sie werden gesendet, älteste zuerst, {REPLAY_STEP} alle {REPLAY_STEP_S} Sekunden: Es \
             dauert etwa {length}."
        )
    }

    /// A range of time.
    pub fn range(since: &str, until: &str) -> String {
        format!("von {since} bis {until}")
    }

    /// How far a replay is.
    pub fn progress(replayed: usize, count: usize) -> String {
        format!("{replayed} von {count} erneut gesendet")
    }

    /// What is said of a replay as it is.
    pub fn status_told(status: Status, left_out: usize) -> String {
        match status {
            Status::Running => "Läuft.".to_owned(),
            Status::Canceled => {
                "Angehalten. Zustellungen, die noch nicht an der Reihe waren, wurden nicht \
                 geändert."
                    .to_owned()
            }
            Status::Completed if left_out == 0 => "Alle wurden erneut gesendet.".to_owned(),
            Status::Completed => format!(
                "Abgeschlossen. {} ausgelassen, weil jemand sie schon gesendet oder abgebrochen \
                 hatte.",
                if left_out == 1 { "Eine wurde".to_owned() } else { format!("{left_out} wurden") }
            ),
        }
    }

    /// A replay's status in a word.
    pub fn status(status: Status) -> &'static str {
        match status {
            Status::Running => "Läuft",
            Status::Completed => "Abgeschlossen",
            Status::Canceled => "Angehalten",
        }
    }
}

mod search {
    /// How many connections more there are than those that are named.
    pub fn and_more(count: usize) -> String {
        format!("und {count} weitere")
    }
}

mod why {
    use crate::domain::connection::model::InactiveReason;
    use crate::domain::delivery::attempt::Outcome;
    use crate::domain::delivery::cause::Cause;
    use crate::domain::delivery::state::EndReason;
    use crate::domain::lane::queue::Reason;
    use crate::domain::routing::rule::Mismatch;
    use crate::embed::text::why::Repair;

    /// One sentence that says what an attempt failed at, and what to do about it.
    pub fn diagnosis(cause: Cause) -> &'static str {
        match cause {
            Cause::Refused => {
                "Ihr Server hat die Anfrage abgelehnt (401 oder 403). Prüfen Sie, ob er das \
                 aktuelle Geheimnis verwendet, den rohen Inhalt prüft und seine Uhr richtig geht."
            }
            Cause::NotFound => {
                "Ihr Server kennt diese Adresse nicht (404). Prüfen Sie den Pfad der URL."
            }
            Cause::Method => {
                "Ihr Server nimmt diese Methode nicht an (405). Wählen Sie in den \
                     Einstellungen eine andere, oder lassen Sie Ihren Server diese annehmen."
            }
            Cause::Gone => {
                "Ihr Server hat mit 410 Gone geantwortet: nichts mehr senden. Ändern Sie die \
                     URL, oder setzen Sie die Verbindung fort, wenn er wieder Anfragen \
                     annimmt."
            }
            Cause::TooLarge => {
                "Die Anfrage war für Ihren Server zu groß (413). Erhöhen Sie seine Grenze für den \
                 Inhalt von Anfragen."
            }
            Cause::MediaType => {
                "Ihr Server nimmt diesen Inhaltstyp nicht an (415). Er muss application/json \
                 annehmen."
            }
            Cause::Rejected => {
                "Ihr Server hat die Anfrage nicht angenommen. Seine Antwort sagt vielleicht, warum."
            }
            Cause::RateLimited => {
                "Ihr Server bat um weniger Anfragen (429). Stellen Sie die Anfragen je Sekunde \
                 dieser Verbindung ein."
            }
            Cause::Redirect => {
                "Ihr Server hat mit einer Weiterleitung geantwortet, und ihr wird nicht gefolgt. \
                 Geben Sie die endgültige URL ein."
            }
            Cause::ServerError => {
                "Ihr Server hatte einen Fehler. Sehen Sie in seinem Protokoll zur Zeit dieses \
                     Versuchs nach."
            }
            _ => unanswered(cause),
        }
    }

    /// The same where no whole answer came.
    fn unanswered(cause: Cause) -> &'static str {
        match cause {
            Cause::LateAnswer => {
                "Ihr Server hat nicht rechtzeitig geantwortet. Antworten Sie zuerst und arbeiten \
                 Sie danach, oder erlauben Sie ein längeres Zeitlimit."
            }
            Cause::LateBody => {
                "Ihr Server hat einen Status gesendet, aber der Inhalt seiner Antwort kam nicht \
                 rechtzeitig ganz an. Senden Sie wenig Inhalt oder keinen."
            }
            Cause::HostName => {
                "Der Hostname der URL lässt sich nicht auflösen. Prüfen Sie seine Schreibweise und \
                 seinen DNS-Eintrag."
            }
            Cause::Certificate => {
                "Das TLS-Zertifikat Ihres Servers gilt nicht für diesen Hostnamen. Erneuern Sie es \
                 und senden Sie die ganze Kette."
            }
            Cause::Tls => {
                "Es kam keine TLS-Verbindung zustande. Prüfen Sie, ob Ihr Server am Port der \
                     URL https verwendet."
            }
            Cause::NothingListens => {
                "Ihr Server hat die Verbindung abgelehnt: An diesem Port antwortet kein \
                     Programm. Starten Sie es oder ändern Sie den Port der URL."
            }
            Cause::UrlRefused => {
                "Diese URL ist nicht erlaubt. Geben Sie eine öffentliche https-URL ein."
            }
            _ => {
                "Ihr Server war nicht erreichbar. Prüfen Sie Hostnamen und Port der URL, und ob \
                 eine Firewall unsere Anfragen durchlässt."
            }
        }
    }

    /// The same for a destination that is not the customer's own server, or checks no signature.
    /// What it said stands beside this.
    pub fn diagnosis_elsewhere(outcome: Outcome) -> Option<&'static str> {
        Some(match outcome {
            Outcome::Delivered => return None,
            Outcome::AuthFailed => {
                "Das Ziel hat die Zugangsdaten abgelehnt. Geben Sie neue ein, oder geben Sie \
                     ihnen die Berechtigung, die fehlt."
            }
            Outcome::RateLimited => {
                "Das Ziel bat um weniger Anfragen. Wir warten so lange, wie es verlangt, und \
                     versuchen es wieder. Sie können die Anfragen je Sekunde dieser Verbindung \
                     einstellen."
            }
            Outcome::RejectedClientError => {
                "Das Ziel hat diese Anfrage abgelehnt, und seine Meldung sagt, warum. Prüfen \
                     Sie die Regel, die Verbindung und die Nutzdaten des Ereignisses."
            }
            Outcome::RejectedServerError => "Das Ziel hatte einen Fehler. Wir versuchen es wieder.",
            Outcome::Timeout | Outcome::NetworkError => {
                "Das Ziel war nicht rechtzeitig erreichbar. Wir versuchen es wieder."
            }
            Outcome::Gone | Outcome::RedirectRefused | Outcome::UrlRefused => {
                "An dieser Adresse gibt es kein Ziel mehr."
            }
        })
    }

    /// The words that lead to where it is repaired.
    pub fn repair(repair: Repair) -> &'static str {
        match repair {
            Repair::Settings => "Verbindung bearbeiten",
            Repair::Verification => "Code zur Prüfung anzeigen",
            Repair::Server => "Testereignis senden, wenn es behoben ist",
        }
    }

    /// The state of a delivery, or whether a connection or rule is active.
    pub fn state(word: &str) -> &str {
        match word {
            "pending" => "Ausstehend",
            "retrying" => "Wird wiederholt",
            "delivered" => "Zugestellt",
            "failed" => "Fehlgeschlagen",
            "held" => "Zurückgehalten",
            "canceled" => "Abgebrochen",
            "active" => "Aktiv",
            "inactive" => "Pausiert",
            "failing" => "Schlägt fehl",
            "no_rules" => "Keine Regeln",
            other => other,
        }
    }

    /// The status of an event.
    pub fn status(status: &str) -> &str {
        match status {
            "pending" => "Ausstehend",
            "processing" => "In Arbeit",
            "retrying" => "Wird wiederholt",
            "completed" => "Zugestellt",
            "failed" => "Fehlgeschlagen",
            "canceled" => "Abgebrochen",
            other => other,
        }
    }

    /// What became of an attempt.
    pub fn outcome(outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Delivered => "Zugestellt",
            Outcome::RejectedClientError => "Abgelehnt",
            Outcome::RejectedServerError => "Serverfehler",
            Outcome::RateLimited => "Zu viele Anfragen",
            Outcome::AuthFailed => "Nicht angemeldet",
            Outcome::Gone => "Nicht mehr da",
            Outcome::RedirectRefused => "Weiterleitung abgelehnt",
            Outcome::UrlRefused => "URL abgelehnt",
            Outcome::Timeout => "Zeitüberschreitung",
            Outcome::NetworkError => "Keine Verbindung",
        }
    }

    /// Why a delivery is failed or canceled.
    pub fn reason(reason: EndReason) -> &'static str {
        match reason {
            EndReason::Gone => {
                "Ihr Server hat mit 410 Gone geantwortet, deshalb gibt es keine weiteren Versuche."
            }
            EndReason::Aborted => {
                "Ihr Server hat mit webhook-delivery: abort-message geantwortet, deshalb gibt es \
                 keine weiteren Versuche."
            }
            EndReason::Rejected => {
                "Das Ziel hat es abgelehnt und würde es wieder ablehnen, deshalb gibt es keine \
                 weiteren Versuche."
            }
            EndReason::AttemptsUsedUp => "Alle Versuche des Zeitplans sind fehlgeschlagen.",
            EndReason::Internal => {
                "Wir konnten es 7 Tage lang wegen eines Fehlers auf unserer Seite nicht senden."
            }
            EndReason::HeldExpired => {
                "Es wurde zu lange zurückgehalten, weil seine Verbindung pausiert war."
            }
            EndReason::ConnectionDeleted => "Seine Verbindung wurde gelöscht.",
            EndReason::Canceled => "Es wurde abgebrochen.",
            EndReason::Erased => "Seine Nutzdaten wurden gelöscht.",
        }
    }

    /// Why a connection is inactive.
    pub fn inactive(reason: InactiveReason) -> &'static str {
        match reason {
            InactiveReason::EndpointGone => {
                "Ihr Server hat mit 410 Gone geantwortet, deshalb wird ihm nichts mehr gesendet. \
                 Setzen Sie fort, wenn er wieder Anfragen annimmt."
            }
            InactiveReason::DisabledByReceiver => {
                "Ihr Server hat mit webhook-delivery: disable geantwortet. Setzen Sie fort, wenn \
                 er wieder Anfragen annimmt."
            }
            InactiveReason::DeliveryFailing => {
                "5 Tage lang konnte nichts zugestellt werden. Prüfen Sie die URL und Ihren Server, \
                 setzen Sie fort und senden Sie ein Testereignis."
            }
            InactiveReason::AuthenticationInvalid => {
                "Das Ziel hat die Zugangsdaten abgelehnt. Geben Sie neue ein und setzen Sie dann \
                 fort."
            }
            InactiveReason::SecretsMissing => {
                "Sie wurde ohne ihre Geheimnisse hierher verlegt. Geben Sie Signaturgeheimnis und \
                 Zugangsdaten noch einmal ein und setzen Sie dann fort."
            }
            InactiveReason::Paused => "Pausiert.",
        }
    }

    /// Why a lane holds deliveries back.
    pub fn held_back(reason: Option<Reason>) -> &'static str {
        match reason {
            Some(Reason::BreakerOpen) => {
                "Mehrere Versuche sind nacheinander fehlgeschlagen. Bis einer gelingt, wird immer \
                 nur eine Zustellung versucht."
            }
            Some(Reason::SlowedDown) => {
                "Ihr Server bat um weniger Anfragen, deshalb werden sie langsamer gesendet."
            }
            Some(Reason::Slow) => {
                "Ihr Server antwortet langsam, deshalb werden weniger Anfragen zugleich gesendet."
            }
            None => "Zustellungen werden eine nach der anderen gesendet.",
        }
    }

    /// How much of the time has passed until a connection is switched off.
    pub fn warned(percent: u32) -> String {
        format!(
            "Seit einiger Zeit wurde nichts zugestellt, und {percent} % der 5 Tage, nach denen \
                 diese Verbindung abgeschaltet wird, sind vorbei. Dann werden ihre Ereignisse \
                 zurückgehalten und gehen nicht verloren. Prüfen Sie die URL und Ihren Server."
        )
    }

    /// Why a rule did not match an event.
    pub fn mismatch(why: Mismatch) -> &'static str {
        match why {
            Mismatch::Inactive => "die Regel ist pausiert",
            Mismatch::Resource => "die Regel gilt für eine andere Ressource",
            Mismatch::ResourceId => "die Regel gilt für eine andere Ressourcen-ID",
            Mismatch::Filter => "die Nutzdaten passten nicht zum Filter der Regel",
            Mismatch::FilterTooCostly => {
                "der Filter der Regel war für diese Nutzdaten zu aufwendig"
            }
        }
    }

    /// That a page shows the newest attempts only.
    pub fn newest_attempts(shown: usize, all: u32) -> String {
        format!("Die neuesten {shown} von {all} Versuchen.")
    }
}
