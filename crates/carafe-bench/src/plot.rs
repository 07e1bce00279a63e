//! Plots as SVG, which look well on light and dark pages.

use std::fmt::Write as _;

/// A line of a plot.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name in the legend.
    pub name: String,
    /// Points, from left to right; both numbers are above zero.
    pub points: Vec<(f64, f64)>,
}

/// A plot with logarithmic axes.
#[derive(Clone, Debug)]
pub struct Plot<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below the horizontal axis; the vertical one has nanoseconds.
    pub axis: &'a str,
    /// At most as many as there are colours.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const ROW: f64 = 20.0;

/// Okabe and Ito's colours, which people who confuse colours can tell apart.
const COLOURS: [&str; 7] =
    ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999"];

impl Plot<'_> {
    /// The SVG file.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let x = Axis::over(points().map(|(x, _)| x), LEFT, WIDTH - RIGHT);
        let y = Axis::over(points().map(|(_, y)| y), HEIGHT - BOTTOM, TOP);
        let height = HEIGHT + ROW * self.lines.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\" \
             aria-label=\"{title}\">\n\
             <style>text {{ fill: #333 }} .grid {{ stroke: #8886 }} .line {{ fill: none; \
             stroke-width: 2 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ccc }} }}\
             </style>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"600\">{title}</text>\n",
            title = escape(self.title)
        );
        for tick in x.ticks() {
            let (at, bottom) = (x.place(tick), HEIGHT - BOTTOM);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                number(tick)
            );
        }
        for tick in y.ticks() {
            let (at, right) = (y.place(tick), WIDTH - RIGHT);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                at + 4.0,
                number(tick)
            );
        }
        let (middle, below) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12.0);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">ns</text>",
            escape(self.axis),
            (TOP + HEIGHT - BOTTOM) / 2.0
        );
        for (row, (line, colour)) in self.lines.iter().zip(COLOURS).enumerate() {
            let path: Vec<String> = line
                .points
                .iter()
                .map(|&(px, py)| format!("{:.1} {:.1}", x.place(px), y.place(py)))
                .collect();
            let at = HEIGHT + ROW * row as f64;
            let _ = writeln!(
                svg,
                "<path class=\"line\" stroke=\"{colour}\" d=\"M{}\"/>\
                 <path class=\"line\" stroke=\"{colour}\" d=\"M{LEFT} {at}h24\"/>\
                 <text x=\"{}\" y=\"{}\">{}</text>",
                path.join("L"),
                LEFT + 32.0,
                at + 4.0,
                escape(&line.name)
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(numbers: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) =
            numbers.fold((f64::MAX, f64::MIN), |(low, high), n| (low.min(n), high.max(n)));
        Self { low: low / 1.1, high: high * 1.1, from, to }
    }

    fn place(&self, number: f64) -> f64 {
        let share = (number / self.low).ln() / (self.high / self.low).ln();
        self.from + share * (self.to - self.from)
    }

    /// 1, 2 and 5 of each power of ten that is on the axis.
    fn ticks(&self) -> Vec<f64> {
        (0..9)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
            .filter(|tick| (self.low..=self.high).contains(tick))
            .collect()
    }
}

fn number(tick: f64) -> String {
    if tick >= 1000.0 { format!("{} 000", tick / 1000.0) } else { tick.to_string() }
}

/// Escapes a text for SVG, and removes the Markdown in names of rows.
fn escape(text: &str) -> String {
    let plain = text.replace("**", "").replace('`', "");
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_and_ticks() {
        let points = vec![(10.0, 100.0), (1000.0, 2000.0)];
        let lines = vec![Line { name: "**a** & `b`".to_owned(), points }];
        let svg = Plot { title: "T", axis: "bytes", lines }.to_svg();
        assert!(svg.contains(">a &amp; b</text>") && svg.contains(">500</text>"), "{svg}");
        assert!(svg.contains(">2 000</text>") && !svg.contains(">5 000</text>"));
    }
}
