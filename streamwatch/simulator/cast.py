"""The streamers of the simulated world, and what they stream. The names are invented; `shroud` is
the example of the documentation."""

from dataclasses import dataclass

CATEGORIES = {
    "Just Chatting": "509658",
    "League of Legends": "21779",
    "Grand Theft Auto V": "32982",
    "VALORANT": "516575",
    "Minecraft": "27471",
    "Counter-Strike": "32399",
    "Elden Ring": "512953",
    "Software and Game Development": "1469308723",
    "Chess": "743",
    "Stardew Valley": "490744",
    "Rocket League": "30921",
    "Art": "509660",
}
"""Category names and their ids."""

TITLES = {
    "en": ("chill evening, come hang out", "road to the top 100 !discord", "blind playthrough"),
    "de": ("Feierabendrunde mit euch", "Wir bauen weiter! !projekt"),
    "es": ("Noche tranquila con la comunidad", "Subiendo de rango, hoy sí"),
    "fr": ("On continue l'aventure", "Soirée détente avec vous"),
    "ja": ("まったり配信", "初見プレイ、ネタバレ禁止"),
    "pt": ("Live com a galera até tarde", "Rumo ao topo!"),
}  # fmt: skip
"""Titles by language."""

TAGS = {
    "en": ("English", "Cozy", "FirstPlaythrough"),
    "de": ("Deutsch", "Gemütlich"),
    "es": ("Español", "Comunidad"),
    "fr": ("Français", "Détente"),
    "ja": ("日本語", "初見歓迎"),
    "pt": ("Português", "Resenha"),
}
"""Tags by language."""


@dataclass(frozen=True, slots=True)
class Member:
    """`usual_viewers` is the average number of viewers; a member with 0 never streams."""

    display_name: str
    language: str
    usual_viewers: int

    @property
    def login(self) -> str:
        return self.display_name.lower()


CAST = (
    Member("shroud", "en", 24_000),
    Member("QuillAndCopper", "en", 61_000),
    Member("MoorhenMarauder", "en", 17_500),
    Member("TortuVeloz_ES", "es", 9_800),
    Member("Waldkauzig", "de", 5_200),
    Member("BrioChebab", "fr", 4_100),
    Member("PapayaNoturna", "pt", 3_300),
    Member("YuzuKazan_", "ja", 2_700),
    Member("GrumbleGrotto", "en", 1_900),
    Member("SaltmarshSally_", "en", 1_250),
    Member("Knoedelkommando", "de", 880),
    Member("ElFaroRoto", "es", 640),
    Member("OctaveOursin", "fr", 510),
    Member("TeaCosyTyrant", "en", 420),
    Member("BitFlipBadger_", "en", 330),
    Member("MangueVolante", "fr", 260),
    Member("Nebelkraehe_77", "de", 210),
    Member("CapivaraTurbo_", "pt", 170),
    Member("HoneycombHex_", "en", 140),
    Member("KumoNoNeko_", "ja", 110),
    Member("TinWhistleTam8", "en", 85),
    Member("LlamaEnLlamas", "es", 60),
    Member("ParsnipProphet", "en", 45),
    Member("SchmiedeFunke_", "de", 33),
    Member("WobblyGantry", "en", 21),
    Member("DriftwoodDee_", "en", 14),
    Member("AbajurAzul_", "pt", 8),
    Member("OssifiedOtto", "en", 0),
    Member("GlacierGwen_", "en", 0),
    Member("MouetteMuette", "fr", 0),
)
"""A few large, many small, and three who never stream."""
