"""The sections of a model card, in the order of Mitchell et al., FAT* 2019: from the record alone.

Sentences here are about how heartseg works or follow from the record; a number or name always comes
from it. Where the record is silent the card says so.
"""

from collections.abc import Iterator, Mapping

from heartseg.config import to_table
from heartseg.core.study import Modality
from heartseg.measure.metrics import empty_mask_rule
from heartseg.segment.appraisal import Appraisal
from heartseg.segment.card.document import Section, Table
from heartseg.segment.card.facts import FEW, NOT_RECORDED, NOT_STATED, Facts, in_words
from heartseg.segment.card.intervals import intervals
from heartseg.segment.card.results import patients, tables_of, weakest, where_it_fails

DRAWING = "failures.svg"
"""The picture of the worst slices, beside the card; outlines without pixels."""

MODALITIES = {Modality.MR: "MR", Modality.US: "echo", Modality.CT: "CT"}


def sections(facts: Facts) -> list[Section]:
    """The whole card."""
    return [
        _details(facts),
        _use(facts),
        _factors(facts),
        _metrics(facts),
        _evaluation(facts),
        _training_data(facts),
        _preparation(facts),
        _training(facts),
        *_analyses(facts),
        *intervals(facts),
        _failures(facts),
        _ethics(facts),
        _caveats(facts),
        _licence(facts),
    ]


def image_kind(facts: Facts) -> str:
    """`MR images, view sax`."""
    modality = facts.description.modality
    return f"{MODALITIES.get(modality, str(modality))} images, view {facts.description.view}"


def _details(facts: Facts) -> Section:
    d = facts.description
    channels = [[str(i), s.title] for i, s in enumerate(d.structures)]
    network = dict(d.architecture)
    window = {} if d.window is None else {"window": to_table(d.window)}
    return Section(
        key="details",
        title="Model details",
        facts={
            "name": d.name,
            "version": d.version,
            "date": facts.said("exported"),
            "kind": "neural network (deep learning) that gives each pixel a structure",
            "network": network.pop("name", NOT_RECORDED),
            "parameters": facts.parameters,
            **network,
            **window,
            "answer": f"{d.activation} over {len(d.structures)} channels",
            "SHA-256 of model.onnx": facts.sha256,
            "licence of the weights": d.licence,
        },
        tables=[
            Table(key="channels", title="Channels", heads=("channel", "meaning"), rows=channels)
        ],
    )


def _use(facts: Facts) -> Section:
    kind = image_kind(facts)
    points = [
        "Out of scope: diagnosis, treatment or any decision on a patient. This is research software"
        " and no medical device.",
        f"Out of scope: anything but {kind}; structures other than {facts.finds}.",
        "Out of scope: results that no person has looked at. The masks are a proposal, slice by"
        " slice.",
    ]
    groups = facts.training("groups")
    if groups:
        points.append(
            f"Hearts unlike those it learnt from ({', '.join(sorted(groups))}) were never shown to"
            " it: congenital disease, devices, masses and states after surgery included."
        )
    if not facts.commercial:
        points.append("Out of scope: commercial use, by the licence of the weights.")
    return Section(
        key="use",
        title="Intended use",
        facts={
            "use": f"to draw {facts.finds} in {kind}, for research, and to measure from the masks",
            "users": "researchers and engineers; clinicians within a study, who check each slice",
        },
        points=points,
    )


def _factors(facts: Facts) -> Section:
    tested = facts.tested
    groups = ", ".join(sorted(tested.groups)) if tested and tested.groups else NOT_RECORDED
    return Section(
        key="factors",
        title="Factors",
        facts={
            "groups tested apart": groups,
            "parts of the stack tested apart": "base, mid, apex (thirds of the reference)"
            if tested and any(s.level for s in tested.scores)
            else NOT_RECORDED,
            "scanners": scanners(facts),
            "sex, age, origin": NOT_RECORDED,
        },
    )


def scanners(facts: Facts) -> str:
    """Vendors and field strengths of the training data, as the cards of the data sets tell."""
    told = [card.scanners for card in facts.data_sets().values() if card.scanners]
    return "; ".join(told) or NOT_STATED


def _metrics(facts: Facts) -> Section:
    points = [
        "Dice: twice the shared volume over the sum of both, in 3-D over a stack, from 0 to 1.",
        "HD95: 95th percentile of the distances between both surfaces, in millimetres, in 3-D.",
        "Means are over patients, whose phases are averaged first. Intervals: 95 %, bootstrap over"
        " patients.",
        empty_mask_rule(("dice", "hausdorff95_mm")),
    ]
    if facts.cine:
        points.append(
            "Human limits are of other patients: Dice between two of three readers (Bai et al., J"
            " Cardiovasc Magn Reson 2018;20:65); how far core laboratories differ (Suinesiaputra et"
            " al., J Cardiovasc Magn Reson 2015;17:63)."
        )
    return Section(key="metrics", title="Metrics", points=points)


def _evaluation(facts: Facts) -> Section:
    heads = ("data", "patients", "groups", "split", "setting", "date", "commit", "hardware")
    rows = [
        [
            one.data,
            str(one.cases),
            ", ".join(f"{name} {count}" for name, count in sorted(one.groups.items()))
            or NOT_STATED,
            one.split,
            one.configuration,
            one.date,
            one.commit,
            one.hardware,
        ]
        for one in facts.appraisals
    ]
    if not rows:
        return Section(
            key="evaluation", title="Evaluation data", points=["No test on patients is recorded."]
        )
    table = Table(key="tests", title="Tests", heads=heads, rows=rows)
    return Section(key="evaluation", title="Evaluation data", tables=[table])


def _training_data(facts: Facts) -> Section:
    cards = facts.data_sets()
    papers = {f"paper of {name}": card.paper for name, card in cards.items()}
    licences = {f"licence of {name}": card.licence for name, card in cards.items()}
    return Section(
        key="training_data",
        title="Training data",
        facts={
            "data": facts.said("data"),
            **papers,
            **licences,
            "patients": facts.said("patients"),
            "volumes": facts.said("volumes"),
            "planes": facts.said("planes"),
            "groups (patients)": facts.said("groups"),
            "scanners": scanners(facts),
            "parts that trained": facts.said("parts"),
            "patients that validated": facts.said("validation_patients"),
            "patients kept to test": facts.said("test_patients"),
            "split": facts.said("split"),
        },
    )


def _preparation(facts: Facts) -> Section:
    return Section(
        key="preparation",
        title="Preparation",
        facts=to_table(facts.description.preparation),
        points=["The same in training and use; kept in model.toml and done by the one code."],
    )


_STEPS = ("steps", "images", "seed", "hours", "hardware", "precision", "torch")
_SETTINGS = ("learning", "schedule", "loss", "spatial", "stack", "intensity")


def _training(facts: Facts) -> Section:
    origin = facts.training("encoder_from"), facts.training("weights_from")
    begun = next((str(one) for one in origin if one), "random weights")
    settings = [
        Table(
            key=name,
            title=title,
            heads=("setting", "value"),
            rows=[[key, in_words(value)] for key, value in facts.training(name).items()],
        )
        for name, title in zip(
            _SETTINGS,
            ("Learning", "Schedule", "Loss", "Augmentation: place", "Stacks", "Augmentation: grey"),
            strict=True,
        )
        if isinstance(facts.training(name), Mapping) and facts.training(name)
    ]
    return Section(
        key="training",
        title="Training",
        facts={
            **{name: facts.said(name) for name in _STEPS},
            "begun with": begun,
            "started": facts.said("started"),
            "exported": facts.said("exported"),
            "commit": facts.said("commit"),
        },
        tables=settings,
    )


def _analyses(facts: Facts) -> Iterator[Section]:
    if facts.description.scores:
        yield Section(
            key="scores", title="Scores in model.toml", facts=dict(facts.description.scores)
        )
    for one in facts.appraisals:
        yield Section(
            key=f"results_{one.split}",
            title=f"Results: {one.data}, {one.split}",
            points=[f"{patients(one.cases)}."],
            tables=tables_of(one, facts.cine),
        )


def _failures(facts: Facts) -> Section:
    told = [one for one in facts.appraisals if one.failures]
    points = [f"{one.data}: {point}" for one in facts.appraisals for point in weakest(one)]
    points += [f"{one.data}: {point}" for one in told if (point := where_it_fails(one))]
    if told:
        points.append(
            "Listed are the patients with the most tissue labelled wrongly in one slice, each with"
            " that slice."
        )
    return Section(
        key="failures",
        title="Known failure cases",
        points=points or ["No failure case is recorded."],
        tables=[_failure_table(one) for one in told],
        picture=(DRAWING, _caption(facts)) if facts.drawn and told else None,
    )


def _failure_table(one: Appraisal) -> Table:
    heads = ("patient", "group", "phase", "slice", "level", "wrong", "worst structure", "its Dice")
    rows = [
        [
            f.case,
            f.group or "-",
            f.phase or "-",
            f"{f.slice} of {f.slices}",
            f.level or "-",
            f"{f.wrong_ml:.1f} mL",
            f"{f.structure}: {f.how}, {f.missed_ml:.1f} mL missed, {f.added_ml:.1f} mL added",
            f"{f.dice:.2f}",
        ]
        for f in one.failures
    ]
    return Table(key=f"failures_{one.split}", title=f"Worst of {one.data}", heads=heads, rows=rows)


def _caption(facts: Facts) -> str:
    one = facts.tested or facts.appraisals[0]
    card = facts.card_of(one.data_set)
    terms = f" ({card.paper}), whose licence holds for it too: {card.licence}" if card else ""
    return (
        "Worst slices: outlines of the reference (dashed) and of the model (solid), no pixels."
        f" Drawn from the labels of {one.data}{terms}."
    )


def _ethics(facts: Facts) -> Section:
    points = [
        "Images of patients trained it. What consent and de-identification there was is told by the"
        " makers of the data, not by the files.",
        "Whether it serves women and men, ages and origins alike was not measured: the record does"
        " not name them.",
        "The weights hold no image. Whether one could be recovered from them was not tried.",
    ]
    return Section(key="ethics", title="Ethical considerations", points=points)


def _caveats(facts: Facts) -> Section:
    points = list(limits_of(facts))
    points.append(
        "Scores hold for images like those it was tested on: other scanners, ages, diseases and"
        " views may do worse."
    )
    points.append(
        "heartseg says pass, review or reject of each result; a model can be wrong in a plausible"
        " way, and then it says pass."
    )
    return Section(key="caveats", title="Caveats and recommendations", points=points)


def limits_of(facts: Facts) -> Iterator[str]:
    """Sentences on what the tests cannot tell."""
    tested = facts.tested
    if tested is None:
        yield "No test on unseen patients is recorded."
    else:
        yield (
            f"Tested on {patients(tested.cases)}, one training run: the intervals do not tell how"
            " another run would have done."
        )
        if tested.data_set in (facts.training("data_sets") or {}):
            yield (
                "The patients that tested it are of the same data set as those that trained it:"
                " elsewhere it will be worse."
            )
        small = sorted(name for name, count in tested.groups.items() if count < FEW)
        if small:
            yield f"Groups with fewer than {FEW} test patients: {', '.join(small)}."
    count = sum(one.cases for one in facts.elsewhere)
    yield (
        f"Tested on {patients(count)} of another place."
        if count
        else "No test on patients of another place is recorded."
    )


def _licence(facts: Facts) -> Section:
    trained = [f"{card.paper}: {card.licence}" for card in facts.data_sets().values()]
    points = [f"Licence of the weights: {facts.description.licence}."]
    points += [f"Trained on {one}." for one in trained]
    if not facts.commercial:
        points.append("The weights are not for commercial use.")
    points.append("Cite heartseg as its CITATION.cff says, and the papers of the data.")
    return Section(key="licence", title="Licence and citation", points=points)
